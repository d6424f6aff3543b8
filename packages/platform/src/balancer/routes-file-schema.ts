// The shape of a routes file. Strict everywhere: what we do not know is a mistake, not a comment.
import * as v from 'valibot';

/** What a route may ask for beyond being forwarded; each key is one policy. */
export const PolicySchema = v.strictObject({});
export type Policy = v.InferOutput<typeof PolicySchema>;

const RouteSchema = v.strictObject({
  host: v.string(),
  path: v.optional(v.string()),
  upstreams: v.pipe(v.array(v.string()), v.minLength(1, 'at least one ADDRESS:PORT is needed')),
  policy: v.optional(PolicySchema),
});
export type WrittenRoute = v.InferOutput<typeof RouteSchema>;

export const RoutesFileSchema = v.strictObject({ routes: v.array(RouteSchema) });

/** Of the object that lies at `path`, to tell what a mistyped key may have meant. */
export function keysKnownAt(path: readonly (string | number)[]): readonly string[] {
  if (path.length === 0) return Object.keys(RoutesFileSchema.entries);
  if (path.length === 2) return Object.keys(RouteSchema.entries);
  return path.length === 3 && path[2] === 'policy' ? Object.keys(PolicySchema.entries) : [];
}
