"""An operator of the kind that people write with kopf: it looks after Services that ask for it by a label.

It tells what it did in annotations of the Service, holds it by a finalizer until it has cleaned up, and posts events.
"""

import kopf

CARED_FOR = {"care": kopf.PRESENT}


@kopf.on.startup()
def configure(settings, **_):
    settings.posting.enabled = True
    settings.persistence.finalizer = "tests.fairlead.io/care"


@kopf.on.create("services", labels=CARED_FOR)
def created(spec, patch, body, **_):
    patch.metadata.annotations["tests/address"] = spec["clusterIP"]
    kopf.info(body, reason="Cared", message="it is looked after")


@kopf.on.update("services", field="spec.ports", labels=CARED_FOR)
def changed(new, patch, retry, **_):
    if retry == 0:
        raise kopf.TemporaryError("not yet", delay=0.1)
    patch.metadata.annotations["tests/ports"] = ",".join(str(port["port"]) for port in new)


@kopf.on.delete("services", labels=CARED_FOR)
def deleted(name, **_):
    print(f"cleaned up after {name}", flush=True)  # noqa: T201 - read by the test
