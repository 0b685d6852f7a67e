"""The API's verbs over any kind, put together for the HTTP edge."""

from app.registry.bulk import Bulk
from app.registry.consequences import Consequences
from app.registry.context import Context
from app.registry.creation import Creation
from app.registry.deletion import Deletion
from app.registry.reading import Reading
from app.registry.sources import Sources
from app.registry.updating import Updating
from app.registry.watching import Watching


class Registry:
    """The verbs. Each raises `ApiError` if it refuses.

    Attributes:
        kinds: All kinds served.
        authorizer: Decides who may do what. The HTTP edge asks it for each request before it calls a verb.
        create: `Creation.create`.
        get: `Reading.get`.
        list: `Reading.list`.
        watch: `Watching.watch`.
        update: `Updating.update`.
        patch: `Updating.patch`.
        delete: `Deletion.delete`.
        delete_collection: `Deletion.delete_collection`.
        apply: `Bulk.apply`, which applies many objects, all or none.
    """

    def __init__(self, context: Context) -> None:
        self.kinds = context.kinds
        self.authorizer = context.authorizer
        sources = Sources(context)
        consequences = Consequences(context)
        creation = Creation(context, consequences)
        updating = Updating(context, creation, consequences)
        reading = Reading(context, sources)
        deletion = Deletion(context, reading, consequences)
        self.create = creation.create
        self.get = reading.get
        self.list = reading.list
        self.watch = Watching(context, sources).watch
        self.update = updating.update
        self.patch = updating.patch
        self.delete = deletion.delete
        self.delete_collection = deletion.delete_collection
        self.apply = Bulk(context, creation, updating, consequences).apply
