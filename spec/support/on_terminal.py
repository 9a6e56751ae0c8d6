"""Runs a command on a terminal of its own, and types.

    python3 spec/support/on_terminal.py COMMAND [TEXT KEYS]...

Types KEYS when TEXT has come since the keys before; KEYS may also be "end",
which sends SIGTERM, or "stop", which stops the command and lets it go on.
Prints what the terminal got, and on lines of their own whether it echoed keys
just before each were typed, while the command was stopped, and at the end, and
how the command ended.
"""

import os
import pty
import select
import signal
import sys
import termios

command, steps = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", command])

signal.alarm(60)  # whatever happens
signal.signal(signal.SIGALRM, lambda *_: (os.kill(pid, signal.SIGKILL), sys.exit("too late")))


def echoes():
    return "yes" if termios.tcgetattr(terminal)[3] & termios.ECHO else "no"


def act(keys):
    if keys == "end":
        os.kill(pid, signal.SIGTERM)
    elif keys == "stop":
        os.kill(pid, signal.SIGTSTP)
        os.waitpid(pid, os.WUNTRACED)
        told.append(echoes())
        os.kill(pid, signal.SIGCONT)
    else:
        os.write(terminal, keys.encode().decode("unicode_escape").encode())


seen, since, told = b"", b"", []
while True:
    try:
        select.select([terminal], [], [])
        part = os.read(terminal, 4096)
    except OSError:  # the other side is closed
        break
    if not part:
        break
    seen, since = seen + part, since + part
    while steps and steps[0].encode() in since:
        since = since[since.index(steps[0].encode()) + len(steps[0].encode()):]
        told.append(echoes())
        act(steps[1])
        steps = steps[2:]

told.append(echoes())
status = os.waitpid(pid, 0)[1]
print(seen.decode(errors="replace").replace("\r\n", "\n"))
print("echo:", *told)
print("code:", os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status))
