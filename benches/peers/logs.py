"""The logs that programs are measured on: made when they are needed, the same bytes on every machine."""

import dataclasses
import pathlib
import subprocess

END = 1_700_000_000
DAY = 86_400

# What is behind a made name, so that it is a qualified one: 25 to 27 bytes, and 25 to 60 by the host's number.
QUALIFIED = 's/ (.+) (.+)/ \\1.a1.example.net \\2.a1.example.net/'
LONG = r'''
function qualified(name,    number) {
    number = name
    gsub(/[^0-9]/, "", number)
    if (number == "") number = index("abcdefghijklmnopqrstuvwxyz", tolower(substr(name, 1, 1)))
    name = name ".rack-" number % 50 ".row-" number % 7 ".building-four.campus.region.example.net"
    return substr(name, 1, 25 + number % 36)
}
{ print $1, qualified($2), qualified($3) }
'''


@dataclasses.dataclass(frozen=True)
class Logs:
    """A set of files. `lines` is by scale, of each file."""

    name: str
    what: str
    lines: dict
    files: int = 1
    options: tuple = ()
    # What a made log goes through on its way into the file.
    through: tuple = ()
    # Whose peers are asked for: one that connects, and one that is connected to.
    hosts: tuple = ("sierra", "Delta")

    def total(self, scale):
        return self.files * self.lines[scale]

    def folder(self, scale, within):
        return within / f"{self.name}-{scale}"

    def make(self, program, scale, folder):
        """The paths of the files, all of them in the page cache."""
        folder = self.folder(scale, folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"conn-{number}.log" for number in range(1, self.files + 1)]
        for seed, path in enumerate(paths, 1):
            if not path.exists():
                self.make_one(program, scale, seed, path)
            subprocess.run(["wc", "-l", path], stdout=subprocess.DEVNULL, check=True)
        return [str(path) for path in paths]

    def make_one(self, program, scale, seed, path):
        part = pathlib.Path(f"{path}.part")
        make = [program, "make", "-", "--quiet", "--end", END, "--seed", seed, "--lines", self.lines[scale], *self.options]
        with open(part, "wb") as out:
            if self.through:
                made = subprocess.Popen([str(word) for word in make], stdout=subprocess.PIPE)
                subprocess.run(self.through, stdin=made.stdout, stdout=out, check=True)
                if made.wait():
                    raise subprocess.CalledProcessError(made.returncode, make)
            else:
                subprocess.run([str(word) for word in make], stdout=out, check=True)
        part.rename(path)


FEW = Logs("few", "56 × 26 hosts, five files", {"small": 1_080_000, "full": 10_800_000}, files=5)
# A tenth of the lines of the others, for what grows with them.
TENTH = Logs("tenth", "a tenth of it", {"small": 108_000, "full": 1_080_000}, files=5)
MANY = Logs("many", "100,000 × 10,000 hosts with names of 25 to 27 bytes", {"small": 2_000_000, "full": 20_000_000},
            options=("--hosts", 100_000, "--servers", 10_000), through=("sed", "-E", QUALIFIED),
            hosts=("sierra.a1.example.net", "Delta.a1.example.net"))
LONG_NAMES = Logs("long", "2,000 × 500 hosts with names of 25 to 60 bytes", {"small": 1_000_000, "full": 10_000_000},
                  options=("--hosts", 2_000, "--servers", 500), through=("awk", LONG),
                  hosts=("sierra.rack-19.row-5.building-four.campus.re", "Delta.rack-4.row-4.building-f"))
