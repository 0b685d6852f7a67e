// A program over the types that openapi-typescript made of /openapi.json.
// Arguments: the server's URL and a namespace.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

type Service = components['schemas']['io.k8s.api.core.v1.Service'];

const [baseUrl, namespace] = (globalThis as unknown as { process: { argv: string[] } }).process.argv.slice(2);
const client = createClient<paths>({ baseUrl });
const collection = '/api/v1/namespaces/{namespace}/services';
const object = '/api/v1/namespaces/{namespace}/services/{name}';
const path = { namespace: namespace!, name: 'web' };

const body: Service = {
    metadata: { name: 'web' },
    spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 'http' }] },
};
const created = await client.POST(collection, { params: { path }, body });
const again = await client.POST(collection, { params: { path }, body });
const patched = await client.PATCH(object, {
    params: { path },
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: { metadata: { labels: { tier: 'front' } } },
});
const listed = await client.GET(collection, { params: { path, query: { labelSelector: 'tier=front' } } });
const deleted = await client.DELETE(object, { params: { path } });
const missing = await client.GET(object, { params: { path } });

console.log(JSON.stringify({
    address: created.data?.spec?.clusterIP,
    again: again.error?.reason,
    labels: patched.data?.metadata?.labels,
    listed: listed.data?.items.map((each) => each.metadata?.name),
    deleted: deleted.response.ok,
    missing: [missing.error?.code, missing.error?.reason],
}));
