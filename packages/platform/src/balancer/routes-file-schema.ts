// The shape of a routes file. Strict everywhere: what we do not know is a mistake, not a comment.
import * as v from 'valibot';
import { CanaryEntries, PolicyEntries } from '../ports/route-policy-schema.ts';

/** What a route may ask for beyond being forwarded; each key is one policy. */
const PolicySchema = v.strictObject(PolicyEntries);

const UpstreamsSchema = v.pipe(
  v.array(v.string()),
  v.minLength(1, 'at least one ADDRESS:PORT is needed'),
);

const RouteSchema = v.strictObject({
  host: v.string(),
  path: v.optional(v.string()),
  upstreams: UpstreamsSchema,
  canary: v.optional(v.strictObject({ ...CanaryEntries, upstreams: UpstreamsSchema })),
  policy: v.optional(PolicySchema),
});
export type WrittenRoute = v.InferOutput<typeof RouteSchema>;

export const RoutesFileSchema = v.strictObject({ routes: v.array(RouteSchema) });

/** Of the object that lies at `path`, to tell what a mistyped key may have meant. */
export function keysKnownAt(path: readonly (string | number)[]): readonly string[] {
  let schema: SchemaNode | undefined = RoutesFileSchema as SchemaNode;
  for (const part of path) {
    const { entries, item }: SchemaNode = unwrapped(schema);
    schema = typeof part === 'number' ? item : entries?.[part];
    if (schema === undefined) return [];
  }
  return Object.keys(unwrapped(schema).entries ?? {});
}

/** What of a schema tells where one gets from it. */
interface SchemaNode {
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly item?: SchemaNode;
  /** Of an optional one. */
  readonly wrapped?: SchemaNode;
}

const unwrapped = (schema: SchemaNode): SchemaNode => schema.wrapped ?? schema;
