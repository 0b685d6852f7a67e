"""What the site has beside `docs/`: README, CHANGELOG and CONTRIBUTING as pages; each decision in its menu."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PAGES = {"README.md": "index.md", "CHANGELOG.md": "changes.md", "CONTRIBUTING.md": "contributing.md"}


def on_config(config: Any) -> Any:
    """Put every decision into the section Develop."""
    folder = Path(config.docs_dir)
    pages = sorted(str(path.relative_to(folder)) for path in folder.glob("decisions/0*.md"))
    (develop,) = (section["Develop"] for section in config.nav if "Develop" in section)
    develop.append({"Decisions": ["decisions/README.md", *pages]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add these pages, with links as they are seen from `docs/`."""
    root = Path(config.config_file_path).parent
    for name, page in PAGES.items():
        text = (root / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=_renamed(text)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let the pages of `docs/` link to them."""
    return _renamed(markdown)


def _renamed(text: str) -> str:
    for name, page in PAGES.items():
        text = re.sub(rf"\]\((\.\./)*{re.escape(name)}(#[^)]*)?\)", lambda found, page=page: _link(found, page), text)
    return text


def _link(found: re.Match[str], page: str) -> str:
    """Links of decisions have two steps up, of which one leads out of `docs/`."""
    ups = (found[0].count("../") or 1) - 1
    return f"]({'../' * ups}{page}{found[2] or ''})"
