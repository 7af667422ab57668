"""Rounds: each program runs once in each, in turn, so that what else the machine does falls on all of them alike."""

import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys

from programs import disagreements

LAUNCH = pathlib.Path(__file__).resolve().parent / "launch.py"


@dataclasses.dataclass
class Taken:
    """What a program took, a value for each round."""

    seconds: list = dataclasses.field(default_factory=list)
    processor: list = dataclasses.field(default_factory=list)
    switches: list = dataclasses.field(default_factory=list)
    # MiB, of all rounds; and that of whoever started it, below which it is not seen.
    peak: float = 0.0
    floor: float = 0.0


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median of the rounds, the lowest, and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        return cls(statistics.median(values), min(values), max(values))


def ratio(one, other):
    """How many times the seconds of the other one took, within the same rounds."""
    return Spread.of([a / b for a, b in zip(one.seconds, other.seconds)])


def launched(program, result):
    command = [sys.executable, "-I", "-S", LAUNCH, result, *program.command]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True)
    took = json.loads(done.stdout)
    if took["exit"]:
        sys.exit(f"{' '.join(map(str, program.command))} ended with {took['exit']}")
    return took


def rounds(programs, count, folder, told):
    """What each program took, by tool, question and how, in `count` rounds after one that does not count."""
    taken = {(program.tool, program.question, program.how): Taken() for program in programs}
    result = folder / "result"
    for number in range(count + 1):
        answers = []
        for program in programs:
            took = launched(program, result)
            answers.append(program.answer(result.read_text()) if program.answer else None)
            of = taken[program.tool, program.question, program.how]
            of.peak, of.floor = max(of.peak, took["peak"]), took["floor"]
            if number:
                of.seconds.append(took["seconds"])
                of.processor.append(took["processor"])
                of.switches.append(took["switches"])
        # Times of programs that do not do the same mean nothing.
        wrong = disagreements(programs, answers)
        if wrong:
            sys.exit("\n".join(text[:2000] for text in wrong))
        told(f"round {number} of {count}: all agree")
    return taken
