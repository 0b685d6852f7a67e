import os
import platform
import re
import subprocess
import sys

import httpx

from app import __version__
from app.telemetry.metrics import MULTIPROCESS_VARIABLE, forget_process

PROGRAM = """
from app.telemetry.exposition import exposition
from app.telemetry.metrics import REQUESTS, WATCHES
REQUESTS.labels("list", "services", "200").inc(3)
WATCHES.labels("services").inc(2)
print(exposition()[0].decode(), end="")
"""


def run(directory=None):
    """A process that counts, its id, and what it answers to a scrape."""
    environment = {name: value for name, value in os.environ.items() if name != MULTIPROCESS_VARIABLE}
    if directory is not None:
        environment[MULTIPROCESS_VARIABLE] = str(directory)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        text, _ = process.communicate(timeout=30)
    return process.pid, dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def requests(values):
    return float(values['apiserver_request_total{code="200",resource="services",verb="list"}'])


def watches(values):
    return float(values['apiserver_longrunning_requests{resource="services"}'])


def test_a_process_alone_answers_for_itself():
    run()
    _, values = run()
    assert (requests(values), watches(values)) == (3, 2)


def test_processes_with_a_directory_answer_for_each_other(tmp_path):
    first, _ = run(tmp_path)
    second, values = run(tmp_path)
    assert (requests(values), watches(values)) == (6, 4)
    for ended in (first, second):
        forget_process(ended, tmp_path)
    _, values = run(tmp_path)
    assert requests(values) == 9, "what ended processes counted stays counted"
    assert watches(values) == 2, "what ended processes had open is open no more"


def test_one_scrape_tells_what_every_process_uses(product):
    text = httpx.get(f"{product.url}/metrics", timeout=30).text
    assert f'fairlead_build_info{{python="{platform.python_version()}",version="{__version__}"}} 1.0' in text
    for metric in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"):
        roles = set(re.findall(rf'^{metric}{{pid="[0-9]+",process="([a-z]+)"}} [0-9.e+]+$', text, re.MULTILINE))
        assert {"serve", "api", "reconciler", "postgres"} <= roles
