"""watch_screen.py NAMESPACE [TEST...]: tcptune watch on a pseudo-terminal, below a real shell, with a small terminal emulator to
see what a person would see. TCPTUNE: the program; TCPLAB: the lab's actor, for a queue that fills."""
import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

TCPTUNE = os.environ["TCPTUNE"]
TCPLAB = os.environ["TCPLAB"]
NAMESPACE = sys.argv[1]
PATIENCE = 45.0  # seconds; only a failure takes so long, and less than the longest interval
PROMPT = "ready> "


class Screen:
    """What the terminal shows: the sequences that tcptune uses, and nothing that it doesn't."""

    def __init__(self, width, height):
        self.alternate = False
        self.cursor = True
        self.wrap = True
        self.sgr = False  # has any colour or style been seen?
        self.lenient = False  # what was drawn for another size may still come
        self.frames = 0  # begun
        self.pending = ""
        self.kept = None
        self.resize(width, height)

    def resize(self, width, height):
        self.width, self.height = width, height
        self.rows = [[" "] * width for _ in range(height)]
        self.y = self.x = 0

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.rows)

    def line(self, number):
        return "".join(self.rows[number]).rstrip()

    def mode(self, number, on):
        if number == 1049:
            assert on != self.alternate, "the alternate screen, twice"
            self.alternate = on
            if on:
                self.kept = ([row[:] for row in self.rows], self.y, self.x)
            elif self.kept and len(self.kept[0]) == self.height and len(self.kept[0][0]) == self.width:
                self.rows, self.y, self.x = self.kept
            else:
                self.resize(self.width, self.height)
        elif number == 25:
            self.cursor = on
        elif number == 7:
            self.wrap = on
        else:
            raise AssertionError(f"an unknown mode: {number}")

    def control(self, private, arguments, final):
        if private and final in "hl":
            self.mode(int(arguments), final == "h")
        elif final == "H" and arguments == "":
            self.y = self.x = 0
            self.frames += 1
        elif final == "J" and arguments == "2":
            self.rows = [[" "] * self.width for _ in range(self.height)]
        elif final == "K" and arguments == "":
            self.rows[self.y][min(self.x, self.width - 1):] = [" "] * (self.width - min(self.x, self.width - 1))
        elif final == "m":
            self.sgr = True
        else:
            raise AssertionError(f"an unknown sequence: {arguments}{final}")

    def newline(self):
        self.y += 1
        if self.y == self.height:
            assert not self.alternate or self.lenient, "the screen scrolls"
            self.rows = self.rows[1:] + [[" "] * self.width]
            self.y -= 1

    def put(self, char):
        if self.x >= self.width:
            if self.wrap:
                self.x = 0
                self.newline()
            elif self.lenient:
                self.x = self.width - 1
            else:
                raise AssertionError(f"beyond the edge: {char!r} in {self.line(self.y)!r}")
        self.rows[self.y][self.x] = char
        self.x += 1

    def feed(self, text):
        text = self.pending + text
        self.pending = ""
        at = 0
        while at < len(text):
            char = text[at]
            if char == "\033":
                found = re.match(r"\033\[(\??)([0-9;]*)([A-Za-z])", text[at:])
                if not found:
                    assert len(text) - at < 32, f"not a sequence: {text[at:at + 32]!r}"
                    self.pending = text[at:]
                    return
                self.control(found[1] == "?", found[2], found[3])
                at += len(found[0])
                continue
            if char == "\r":
                self.x = 0
            elif char == "\n":
                self.newline()
            elif char == "\b":
                self.x -= 1
            elif char != "\a":
                assert char >= " ", f"a control character: {char!r}"
                self.put(char)
            at += 1


class Terminal:
    """A pseudo-terminal with a program on it."""

    def __init__(self, argv, width=80, height=24, environment=None, before=None):
        self.master, slave = os.openpty()
        self.screen = Screen(width, height)
        self.set_size(width, height)
        self.cooked = termios.tcgetattr(slave)
        self.raw = b""
        self.status = None
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "PS1": PROMPT, **(environment or {})}
        environment.pop("COLUMNS", None)
        if "NO_COLOR" not in (environment or {}):
            environment.pop("NO_COLOR", None)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in range(3):
                    os.dup2(slave, fd)
                os.closerange(3, 64)
                if before:
                    before()
                os.execvpe(argv[0], argv, environment)
            finally:
                os._exit(127)
        os.close(slave)

    def set_size(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width, height):
        self.screen.lenient = True
        self.screen.resize(width, height)
        self.set_size(width, height)

    def drain(self, seconds):
        end = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                return
            try:
                data = os.read(self.master, 65536)
            except OSError as error:
                if error.errno == errno.EIO:
                    return
                raise
            if not data:
                return
            self.raw += data
            self.decode()

    def decode(self):
        # a character may be cut in two
        for cut in range(4):
            try:
                text = self.raw[:len(self.raw) - cut].decode()
            except UnicodeDecodeError:
                continue
            self.raw = self.raw[len(self.raw) - cut:] if cut else b""
            self.screen.feed(text)
            return
        raise AssertionError(f"not UTF-8: {self.raw[-80:]!r}")

    def until(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"in vain: {what}; the screen:\n{self.screen.text()}")
            self.drain(0.05)

    def shows(self, pattern):
        self.until(f"shows {pattern!r}", lambda: re.search(pattern, self.screen.text(), re.M))

    def type(self, text):
        os.write(self.master, text.encode())

    def attributes(self):
        return termios.tcgetattr(self.master)

    def restored(self):
        """Is the terminal as it was before? A shell in between may have its own ideas of the attributes."""
        screen = self.screen
        return not screen.alternate and screen.cursor and screen.wrap

    def taken(self):
        screen = self.screen
        return screen.alternate and not screen.cursor and not screen.wrap

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def close(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = -9
        os.close(self.master)


def check(condition, what, terminal):
    if not condition:
        raise AssertionError(f"not so: {what}; the screen:\n{terminal.screen.text()}")


WATCH = [TCPTUNE, "watch", "--netns", NAMESPACE]


def watch(*arguments, **options):
    return Terminal(WATCH + list(arguments), **options)


class Shell(Terminal):
    """A shell with job control, as a person has one. The watch's process id is found below it."""

    def __init__(self):
        super().__init__(["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.shows(f"^{PROMPT.rstrip()}$")

    def command(self, text):
        self.type(text + "\n")

    def prompt(self):
        self.until("a prompt", lambda: self.screen.line(self.screen.y).endswith(PROMPT.rstrip()))

    def answer(self, command):
        """What a command prints."""
        with tempfile.TemporaryDirectory() as folder:
            self.command(f"{command} >{folder}/part && mv {folder}/part {folder}/whole")
            self.until(f"an answer to {command}", lambda: os.path.exists(f"{folder}/whole"))
            with open(f"{folder}/whole", encoding="ascii") as file:
                answer = file.read().strip()
        self.prompt()
        return answer

    def child(self):
        def find():
            path = f"/proc/{self.pid}/task/{self.pid}/children"
            with open(path, encoding="ascii") as file:
                return [int(word) for word in file.read().split()]
        self.until("a child", find)
        return find()[0]

    def watches(self):
        self.until("the terminal is taken", self.taken)
        self.shows("^q quit")

    def start(self, *arguments):
        self.command(" ".join(WATCH + list(arguments)))
        self.watches()


def test_draws_and_answers_keys():
    terminal = watch("--interval", "0.2")
    terminal.shows("^ESTABLISHED +0 .*PassiveOpens")
    check(terminal.taken(), "the terminal is taken", terminal)
    check(NAMESPACE in terminal.screen.line(0) and "every 200 ms" in terminal.screen.line(0), "the host line", terminal)
    check(terminal.screen.line(23).startswith("q quit"), "the keys on the last line", terminal)
    check(terminal.screen.sgr, "colours", terminal)
    attributes = terminal.attributes()
    check(not attributes[3] & (termios.ICANON | termios.ECHO), "keys come at once, and aren't echoed", terminal)
    check(attributes[3] & termios.ISIG, "ctrl-C is still a signal", terminal)
    terminal.shows("ListenOverflows +0 ▁▁▁")  # a history
    for name in ("QUEUE", "DROPS/s", "ESTAB", "SYN_RECV", "LISTENER", "FULL"):
        terminal.type("s")
        terminal.shows(f"s sort: {name} ")
    terminal.type("\033[A\033OB")  # arrows: no keys, and none of their letters either
    terminal.type("r")
    terminal.shows("s sort: FULL reversed ")
    terminal.type("h")
    terminal.shows("any key goes back")
    terminal.type("r")  # does not reverse
    terminal.shows("s sort: FULL reversed ")
    for key, interval in (("+", "500 ms"), ("+", "1 s"), ("=", "2 s"), ("-", "1 s"), ("-", "500 ms"), ("-", "200 ms"),
                          ("-", "200 ms"), ("++++++++", "60 s"), ("----------", "200 ms")):
        terminal.type(key)
        terminal.shows(rf"every {interval}\b")
    terminal.type(" ")
    terminal.shows("^PAUSED")
    before = terminal.screen.line(0)
    terminal.drain(1.5)
    check(terminal.screen.line(0) == before, "nothing moves while paused", terminal)
    terminal.type("r")
    terminal.shows("^PAUSED.*sort: FULL  r")  # keys work on what is shown
    terminal.type(" ")
    terminal.until("it goes on", lambda: terminal.screen.line(0) != before and "PAUSED" not in terminal.screen.text())
    for width, height in ((132, 43), (40, 12), (20, 3), (1, 1), (80, 24)):
        terminal.resize(width, height)
        if width > 1:
            terminal.until("the keys on the last line", lambda: terminal.screen.line(height - 1).startswith("q quit"))
        # What is on its way was drawn for the old size, and one frame more may be.
        terminal.drain(0)
        drawn = terminal.screen.frames
        terminal.until("three frames more", lambda: terminal.screen.frames >= drawn + 3)
        terminal.screen.lenient = False
        terminal.drain(0.5)
    terminal.type("xyz\x0cq")  # unknown keys, ctrl-L
    terminal.until("q quits", terminal.ended)
    terminal.drain(0.2)
    check(terminal.status == 0, "exit 0", terminal)
    check(terminal.restored(), "the terminal is given back", terminal)
    check(terminal.attributes() == terminal.cooked, "with its attributes", terminal)
    terminal.close()


def test_every_end():
    def kill(number):
        return lambda terminal: os.kill(terminal.pid, number)
    ends = {
        "ctrl-C": (lambda terminal: terminal.type("\x03"), -signal.SIGINT),
        "ctrl-\\": (lambda terminal: terminal.type("\x1c"), -signal.SIGQUIT),
        "ctrl-D": (lambda terminal: terminal.type("\x04"), 0),
        "SIGTERM": (kill(signal.SIGTERM), -signal.SIGTERM),
        "SIGHUP": (kill(signal.SIGHUP), -signal.SIGHUP),
    }
    for name, (end, status) in ends.items():
        # of a long interval: the end must not wait for it
        terminal = watch("--interval", "60", before=no_core)
        terminal.shows("^q quit")
        terminal.drain(0.3)
        end(terminal)
        terminal.until(f"{name} ends it", terminal.ended)
        terminal.drain(0.2)
        check(terminal.status == status, f"{name}: {terminal.status}, not {status}", terminal)
        check(terminal.restored(), f"{name}: the terminal is given back", terminal)
        check(terminal.attributes() == terminal.cooked, f"{name}: with its attributes", terminal)
        terminal.close()


def no_core():
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def test_count():
    terminal = watch("--interval", "0.2", "--count", "3")
    terminal.until("it ends by itself", terminal.ended)
    terminal.drain(0.2)
    check(terminal.status == 0, "exit 0", terminal)
    check(terminal.restored(), "the terminal is given back", terminal)
    check(terminal.attributes() == terminal.cooked, "with its attributes", terminal)
    terminal.close()


def test_mistakes_leave_the_terminal_alone():
    terminal = watch("--profile", "nosuch")
    terminal.until("it ends", terminal.ended)
    terminal.drain(0.2)
    check(terminal.status == 2, "exit 2", terminal)
    terminal.shows("^tcptune: .*nosuch")
    check(terminal.restored() and not terminal.screen.sgr, "nothing was drawn", terminal)
    terminal.close()


def test_plain_terminals():
    terminal = watch("--interval", "0.2", environment={"NO_COLOR": "1", "LC_ALL": "C"})
    terminal.shows("PassiveOpens +0 +___")
    check(not terminal.screen.sgr, "NO_COLOR: no colours", terminal)
    check(terminal.screen.text().isascii(), "only ASCII where the locale has nothing else", terminal)
    terminal.close()
    terminal = watch("--interval", "0.2", environment={"TERM": "dumb"})
    terminal.shows("^TIME +ESTAB(.|\n)*^20.*Z +0")
    check(terminal.restored(), "a dumb terminal gets lines", terminal)
    terminal.close()
    terminal = Terminal(["sh", "-c", " ".join(WATCH) + " --interval 0.2 --count 2 </dev/null"])
    terminal.shows("^TIME +ESTAB")
    terminal.until("it ends", terminal.ended)
    check(terminal.status == 0, "without keys there are lines", terminal)
    terminal.close()


def test_stopped_and_continued():
    shell = Shell()
    before = shell.answer("stty -g")
    shell.start("--interval", "0.2")
    pid = shell.child()
    shell.type("\x1a")  # ctrl-Z
    shell.shows("Stopped")
    shell.prompt()
    check(shell.restored(), "the terminal is given back while stopped", shell)
    check(shell.answer("stty -g") == before, "with its attributes", shell)
    shell.command("fg")
    shell.watches()
    shell.type("r")
    shell.shows("reversed")

    shell.screen.lenient = True
    os.kill(pid, signal.SIGSTOP)  # without asking; the shell takes the terminal back by itself
    shell.until("stopped", lambda: state(pid) == "T")
    shell.drain(0.3)  # what was drawn before
    shell.screen.mode(1049, False)  # what a person's `reset` would do
    shell.screen.cursor = shell.screen.wrap = True
    shell.drain(0.3)
    shell.command("stty sane; fg")
    shell.watches()
    shell.screen.lenient = False

    shell.type("\x1a")
    shell.shows("Stopped")
    shell.prompt()
    shell.command("bg")  # in the background it stands still, and leaves the terminal alone
    shell.shows("&$")
    shell.drain(0.7)
    shell.until("it stands still", lambda: state(pid) == "T")
    check(shell.restored(), "the background leaves the terminal alone", shell)
    shell.command("fg")
    shell.watches()
    shell.type("\x1a")
    shell.shows("Stopped")
    shell.prompt()
    os.kill(pid, signal.SIGTERM)  # a stopped one ends as soon as it may go on
    os.kill(pid, signal.SIGCONT)
    shell.until("ended while in the background", lambda: state(pid) in (None, "Z"))
    shell.drain(0.3)
    check(shell.restored(), "the terminal is still the shell's", shell)
    shell.command("")
    shell.prompt()
    before = shell.answer("stty -g")  # `stty sane` was typed since
    shell.start()
    shell.type("q")
    shell.prompt()
    check(shell.answer("echo rc=$?") == "rc=0", "q is exit 0", shell)
    shell.start()
    shell.type("\x03")
    shell.prompt()
    check(shell.answer("echo rc=$?") == "rc=130", "ctrl-C is told to the shell", shell)
    check(shell.answer("stty -g") == before, "the attributes at the end", shell)
    shell.close()


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


def test_a_terminal_that_goes():
    # nobody tells it (SIGHUP is ignored): reading says so
    terminal = watch("--interval", "60", before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    terminal.shows("^q quit")
    os.close(terminal.master)
    end = time.monotonic() + PATIENCE
    while not terminal.ended():
        assert time.monotonic() < end, "it does not notice that the terminal is gone"
        time.sleep(0.05)
    assert terminal.status == 0, f"a terminal that is gone: exit {terminal.status}"


def test_a_terminal_that_nobody_reads():
    terminal = watch("--interval", "0.1", width=500, height=200)
    time.sleep(3)  # its buffer fills, and a write would wait for ever
    os.kill(terminal.pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE
    while not terminal.ended():
        assert time.monotonic() < end, "it hangs in a write"
        time.sleep(0.05)
    assert terminal.status == -signal.SIGTERM, f"exit {terminal.status}"
    assert terminal.attributes() == terminal.cooked, "the attributes aren't restored"
    terminal.close()


def actor(*arguments):
    return subprocess.Popen(["nsenter", f"--net=/run/netns/{NAMESPACE}", "--", TCPLAB, *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


# The longer it takes, the more SYNs are sent again: a hundred overflows since the namespace was made are worth an "info".
QUIET = "^FINDINGS  (none|1 info)"


def test_a_finding_comes_and_goes():
    terminal = watch("--interval", "0.3", width=100, height=30)
    terminal.shows(QUIET)
    terminal.drain(1.2)
    listener = actor("listen", "--address", "127.0.0.1", "--port", "7000", "--backlog", "10", "--no-accept")
    try:
        listener.stdout.readline()
        terminal.shows("^LISTENER +QUEUE(.|\n)*^127.0.0.1:7000 +0 +10 +0%")
        callers = actor("connect", "--to", "127.0.0.1", "--port", "7000", "--count", "30", "--nonblocking", "--hold")
        try:
            terminal.shows("^127.0.0.1:7000 +11 +10 +100%")
            terminal.shows("^FINDINGS  1 critical")
            terminal.shows("^critical [0-9]+ (s|min) +accept-queue-full +127.0.0.1:7000 has 11 connections")
            terminal.shows("^ESTABLISHED +22 ")
            terminal.shows("^SYN_SENT +19 ")
            terminal.shows("^critical ([2-9] s|[0-9]{2,} s|[0-9]+ min) +accept-queue-full")  # it gets older
        finally:
            callers.kill()
            callers.wait()
    finally:
        listener.kill()
        listener.wait()
    terminal.shows(QUIET)
    terminal.shows("^LISTENERS  none")
    terminal.shows("^critical [0-9]+ (s|min) +accept-queue-full +gone [0-9]+ s ago: ")
    terminal.type("q")
    terminal.until("q quits", terminal.ended)
    check(terminal.status == 0, "exit 0", terminal)
    terminal.close()


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    tests = [test for test in tests if not sys.argv[2:] or test.__name__ in sys.argv[2:]]
    failed = 0
    for test in tests:
        started = time.monotonic()
        try:
            test()
        except AssertionError as error:
            print(f"FAILED {test.__name__}: {error}", flush=True)
            traceback.print_exc()
            failed += 1
        else:
            print(f"passed {test.__name__} in {time.monotonic() - started:.1f} s", flush=True)
    return 1 if failed else 0


sys.exit(main())
