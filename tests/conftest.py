"""What holds for every test."""

import gc
import os
import signal

from hypothesis import HealthCheck, settings

from tests.support import measured_decoder

# Under nohup and behind an `&` some are ignored, and children would inherit that, to whom tests send
# them. What is handled is not inherited, and a handler that does nothing ignores as well.
for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(signum) is signal.SIG_IGN:
        signal.signal(signum, lambda *_: None)

# How long an example takes is the machine's affair.
SLOWLY = [HealthCheck.too_slow]
settings.register_profile("explore", deadline=None, suppress_health_check=SLOWLY)
# The same examples in every run, 30 where CI tries 100: `--hypothesis-profile ci`. The profile
# `explore` looks for others.
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=SLOWLY)
settings.register_profile("batchscan", settings.get_profile("ci"), max_examples=30)
settings.load_profile("batchscan")

if "COVERAGE_PROCESS_CONFIG" in os.environ:
    measured_decoder.measure()

# What is made while tests are collected lives to the end. Looking for garbage among it again and again
# took a quarter of the time that each worker needs for that, and some more in every test.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
