"""What every story needs: a served sandbox, an environment that leads to it, and steps that are counted."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


class Sandbox:
    """A `cmk sandbox serve` of its own, with a fresh world. Use it in a `with`."""

    def __init__(self, cmk, domain):
        self.cmk = str(Path(cmk).resolve())
        self.domain = domain

    def __enter__(self):
        # Whoever ends the story ends the server with it.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.kept = tempfile.TemporaryDirectory(prefix="cmk-clients-")
        self.folder = Path(self.kept.name)
        self.tls = self.folder / "tls"
        serve = [self.cmk, "sandbox", "serve", "--state", self.folder / "state.json", "--tls-dir", self.tls]
        serve += ["--domain", self.domain, "--format", "json"]
        if records := os.environ.get("CMK_RECORDS"):
            serve += ["--record", Path(records) / f"{os.getpid()}-{id(self)}.jsonl"]
        log = open(self.folder / "serve.log", "w+")
        self.process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            log.seek(0)
            raise SystemExit(f"the sandbox is not served: {log.read()}")
        self.ready = json.loads(line)
        self.environment = self.exports()
        return self

    def __exit__(self, *_):
        self.stop()
        self.kept.cleanup()

    def stop(self):
        """Ends the server as a service manager does. The world stays, in its file."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)

    def exports(self):
        """What `eval "$(cmk sandbox env)"` makes of the environment: a shell finds out."""
        script = 'eval "$("$0" sandbox env --tls-dir "$1")" && exec env -0'
        shell = subprocess.run(["bash", "-c", script, self.cmk, self.tls], capture_output=True, check=True)
        return dict(pair.split("=", 1) for pair in shell.stdout.decode().split("\0") if pair)

    def run_cmk(self, *arguments):
        """Runs cmk itself through the same proxy, with its public-cloud settings."""
        return subprocess.run([self.cmk, *map(str, arguments)], env=self.environment, capture_output=True, text=True)

    def plan(self, spec, *more):
        """The exit code of a plan: 0 is nothing to do, 2 is steps waiting."""
        answer = self.run_cmk("plan", spec, "--detailed-exitcode", *more)
        if answer.returncode not in (0, 2):
            raise AssertionError(f"cmk plan ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
        return answer.returncode

    def can_read(self, account):
        """Whether an account can read its data at this moment, as the sandbox itself knows."""
        show = [self.cmk, "sandbox", "show", "--tls-dir", self.tls, "--format", "json"]
        world = json.loads(subprocess.run(show, capture_output=True, check=True).stdout)
        return next(shown["readable"] for shown in world["accounts"] if shown["id"].endswith(f"/{account}"))


class Refused(Exception):
    """az ended with an error; this is what it said."""


class Az:
    """The Azure CLI in a sandbox's environment."""

    def __init__(self, program, environment):
        self.program = program
        self.environment = environment

    def __call__(self, command):
        """Runs a command; gives the JSON that it prints, or None."""
        line = [self.program, *shlex.split(command), "--output", "json"]
        done = subprocess.run(line, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Refused(f"az {command}\n{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def once_granted(self, command, code, seconds=40):
        """Runs a command that may come before a grant has spread; tries it again while it is refused for that."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self(command)
            except Refused as refused:
                if code not in str(refused) or time.monotonic() > end:
                    raise
            time.sleep(1)

    def is_refused(self, command, reason):
        """Runs a command that has to fail, for a reason that az prints."""
        try:
            answer = self(command)
        except Refused as refused:
            assert reason in str(refused), f"not {reason}, but: {refused}"
            return
        raise AssertionError(f"az {command}\nis not refused: {answer}")


class Story:
    """Counts steps and says how long each took. A story that stumbles ends there."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = 0

    @contextmanager
    def step(self, title):
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            self.failed += 1
            self.say("FAILED", began, f"{title}\n{describe(error)}")
            raise SystemExit(self.end()) from None
        self.passed += 1
        self.say("ok", began, title)

    def say(self, word, began, text):
        print(f"{word:6} {time.monotonic() - began:5.1f} s  {self.name}: {text}", flush=True)

    def end(self):
        """Closes the story; gives the exit code."""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def describe(error):
    text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return "\n".join(f"    {line}" for line in text.splitlines())


def at(answer, path):
    """The value at a path such as `properties.sku.name` or `value.0.id`; None where there is nothing."""
    for part in path.split(".") if path else []:
        if isinstance(answer, list):
            answer = answer[int(part)] if int(part) < len(answer) else None
        else:
            answer = (answer or {}).get(part)
    return answer


GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def says(answer, **wanted):
    """Asserts on an answer: `says(account, identity__type="SystemAssigned")`; a pattern has to match as a whole."""
    wrong = []
    for name, value in wanted.items():
        path = name.replace("__", ".")
        found = at(answer, path)
        agrees = value.fullmatch(str(found)) if isinstance(value, re.Pattern) else found == value
        if not agrees:
            wrong.append(f"{path} is {found!r}, not {value!r}")
    if wrong:
        raise AssertionError("; ".join(wrong) + "\n" + json.dumps(answer, indent=1, default=str))


def until(ask, seconds=40):
    """Asks again until the answer is true, as a person does who waits for Azure; gives the answer."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {seconds} s")
        time.sleep(1)
    return answer
