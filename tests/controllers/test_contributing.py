"""The worked example of a controller in CONTRIBUTING.md does what the page says."""

import re
from pathlib import Path

from app.domain.declarations.pod import POD

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


async def test_the_example_of_a_controller_works(world):
    section = PAGE.read_text().split("\n## A controller\n")[1].split("\n## ")[0]
    controller, test = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names = {"POD": POD}
    exec(compile(controller + "\n" + test, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    await names["test_a_pod_that_has_finished_is_deleted"](world)
