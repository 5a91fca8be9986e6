"""Kill the command at random moments, run it again, and count what was paid.

    python -m benchmarks.kills [--kills 300] [--seed 1]

Each trial kills a command up to three times and then lets it run to its end, against one sandbox that counts what it
accepted. A single edit, a batch and a resumption take turns, with a journal that can be used and with one that can't.
What must hold is in `Trial.check`; the program prints its counts, and ends with code 1 where anything else was seen.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle, product
from pathlib import Path

import httpx
from PIL import Image

from wan_sandbox import Sandbox, Settings

ROOT = Path(__file__).parents[1]
TOKEN = "kills-token-71c3"
MODEL = "/v1/models/wan-ai/wan-2-6/image-to-image"
MODES = ("single", "batch", "resume")
ROWS = 4
KILLS_MAX = 3
PATIENCE_SECONDS = 120
GOES_ON = 75


@dataclass
class Trial:
    """One command, killed and run again in a folder of its own.

    Attributes:
        mode: What the command does.
        journal: Whether the journal can be used.
        kills: How often it was killed.
        end: How it ended.
        accepted: What the server accepted meanwhile.
        faults: What must not happen and did.
    """

    mode: str
    journal: bool
    folder: Path
    kills: int = 0
    end: str = ""
    accepted: int = 0
    faults: list[str] = field(default_factory=list)

    def run(self, sandbox: Sandbox, chance: random.Random, usual_seconds: float) -> None:
        """Kill the command up to `KILLS_MAX` times, then let it end."""
        Image.new("RGB", (400, 400), 90).save(self.folder / "cat.png")
        command = self._command(sandbox)
        before = sandbox.counters.submits_accepted
        while not self.end:
            process = self._start(command, sandbox)
            if self.kills < KILLS_MAX:
                time.sleep(chance.uniform(0.1, 1.1) * usual_seconds)
                if process.poll() is None:
                    process.kill()
                    self.kills += 1
                    process.communicate()
                    # A picture that is there is no reason to run the command again.
                    self.end = "finished" if self._is_finished() else ""
                    continue
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
            self.end = self._ended(process.returncode, out, err)
        self.accepted = sandbox.counters.submits_accepted - before
        self.check()

    def check(self) -> None:
        """Note every fault of the trial: a wrong end, a payment too many, a picture that is not whole."""
        if self.end.startswith("code"):
            self.faults.append(self.end)
        if self.mode == "resume":
            self._expect(self.accepted == 0, "a resumption was paid")
        elif self.mode == "batch":
            self._expect(self.accepted <= ROWS, f"{self.accepted} submits for {ROWS} rows")
        elif self.journal:
            self._expect(self.accepted <= 1, f"{self.accepted} submits for one request")
        if self.end in {"fetched", "finished"} and self.mode != "resume":
            self._expect(self.accepted >= len(self._outputs()), "a picture that was never accepted")
        for file in self._outputs() if self.end in {"fetched", "finished"} else ():
            try:
                Image.open(file).load()
            except OSError:
                self.faults.append(f"{file.name} is not whole")

    def _expect(self, holds: bool, words: str) -> None:
        if not holds:
            self.faults.append(words)

    def _command(self, sandbox: Sandbox) -> list[str]:
        if self.mode == "batch":
            rows = [{"prompt": "sketch", "image_1": "cat.png", "seed": n, "out": f"{n}.png"} for n in range(ROWS)]
            (self.folder / "jobs.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
            return ["batch", "jobs.jsonl", "-n", "2"]
        if self.mode == "resume":
            data = base64.b64encode((self.folder / "cat.png").read_bytes()).decode()
            body = {"prompt": "sketch", "image_urls": [f"data:image/png;base64,{data}"]}
            headers = {"Authorization": f"Bearer {TOKEN}"}
            reply = httpx.post(sandbox.url + MODEL, json=body, headers=headers, trust_env=False)
            return ["resume", reply.json()["request_id"], "-o", "out.png"]
        return ["sketch", "cat.png", "-o", "out.png"]

    def _start(self, command: list[str], sandbox: Sandbox) -> subprocess.Popen[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY", "WAN_"))}
        env |= {"PYTHONPATH": str(ROOT), "RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": sandbox.url}
        # A file stands where the state folder would have to be.
        env["XDG_STATE_HOME"] = str(self.folder / ("state" if self.journal else "cat.png"))
        return subprocess.Popen(
            [sys.executable, "-m", "wan_client", *command, "--json"], cwd=self.folder, env=env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _outputs(self) -> list[Path]:
        if self.mode == "batch":
            return [file for n in range(ROWS) if (file := self.folder / "outputs" / f"{n}.png").exists()]
        return [file] if (file := self.folder / "out.png").exists() else []

    def _is_finished(self) -> bool:
        return len(self._outputs()) == (ROWS if self.mode == "batch" else 1)

    def _ended(self, code: int, out: str, err: str) -> str:
        if not self.journal and self.mode == "single" and code == 0 and "can't be used" not in err:
            self.faults.append("nothing was said of a journal that can't be used")
        if code == 0:
            return "fetched" if self._is_finished() else "code 0 without a picture"
        answer = json.loads(out) if out else {}
        unknown = answer.get("code") == "unknown_outcome" or answer.get("held")
        return "outcome unknown, said" if code == GOES_ON and unknown else f"code {code}: {out[:200]} {err[-500:]}"


def measure(sandbox: Sandbox, mode: str) -> float:
    """Return how long a command takes that is not killed."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(mode, True, Path(folder), kills=KILLS_MAX)
        began = time.monotonic()
        trial.run(sandbox, random.Random(0), 0)
        return time.monotonic() - began


def kill(kills: int, seed: int) -> list[Trial]:
    """Kill commands until there were so many kills; return all trials."""
    chance = random.Random(seed)  # to be repeated
    trials: list[Trial] = []
    quick = Settings(run_time=(0.2, 0.6), speed=1.0, warm_up=0.0, picture="blank", workers=8)
    with Sandbox(quick) as sandbox:
        usual = {mode: measure(sandbox, mode) for mode in MODES}
        turns = cycle(product(MODES, (True, False)))
        while sum(trial.kills for trial in trials) < kills:
            with tempfile.TemporaryDirectory() as folder:
                trial = Trial(*next(turns), Path(folder))
                trial.run(sandbox, chance, usual[trial.mode])
            trials.append(trial)
    return trials


def main() -> int:
    """Run the program and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    trials = kill(arguments.kills, arguments.seed)
    for mode, journal in product(MODES, (True, False)):
        some = [trial for trial in trials if (trial.mode, trial.journal) == (mode, journal)]
        ends = ", ".join(f"{count} {end}" for end, count in sorted(Counter(trial.end for trial in some).items()))
        words = "usable" if journal else "not usable"
        killed, accepted = sum(trial.kills for trial in some), sum(trial.accepted for trial in some)
        print(f"{mode}, journal {words}: {len(some)} trials, {killed} kills, {accepted} submits accepted; {ends}")
    faults = [f"{trial.mode}, journal {trial.journal}: {fault}" for trial in trials for fault in trial.faults]
    print(*faults, sep="\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
