"""Runs one program, and says what it took: RESULT PROGRAM [ARGUMENT...]

A process of its own, since the peak memory of a program is at least that of whoever started it: so that is always the
same, and small. What the program prints goes into the file RESULT; what it took is printed as JSON.
"""

import json
import os
import sys
import time

result, *command = sys.argv[1:]
with open("/proc/self/status") as status:
    floor = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
into = [(os.POSIX_SPAWN_OPEN, 1, result, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
before = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ, file_actions=into)
_, status, usage = os.wait4(pid, 0)
print(json.dumps({
    "seconds": time.perf_counter() - before,
    "processor": usage.ru_utime + usage.ru_stime,
    "peak": usage.ru_maxrss / 1024,
    # Below this, the peak is not the program's own.
    "floor": floor / 1024,
    "switches": usage.ru_nvcsw + usage.ru_nivcsw,
    "exit": os.waitstatus_to_exitcode(status),
}))
