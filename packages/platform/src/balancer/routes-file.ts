// The routes file of a balancer that serves alone: JSON that people write, so every mistake is named
// with its line and its field. A file is taken whole or not at all.
import { getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser';
import * as v from 'valibot';
import type { RoutePolicy } from '../domain/route-policy.ts';
import type { Canary, RouteTarget, Upstream } from '../domain/route-table.ts';
import { groupRoutes, type RouteGroup, type RouteSet } from './routes-file-groups.ts';
import { type Field, readHost, readPath, readUpstream } from './routes-file-fields.ts';
import {
  type FieldPath,
  type Finding,
  offsetOf,
  positionOf,
  problemsOf,
  routesFileError,
  schemaFinding,
  syntaxFinding,
} from './routes-file-problems.ts';
import { RoutesFileSchema, type WrittenRoute } from './routes-file-schema.ts';

/** `file` names it in messages. Throws ROUTES_FILE_INVALID with a line for each mistake. */
export function parseRoutesFile(written: string, file: string): RouteGroup[] {
  const text = written.replace(/^\uFEFF/, '');
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  if (errors.length > 0 || !root)
    throw routesFileError(file, problemsOf([syntaxFinding(errors[0], text)], text), 1);
  const findings = duplicateKeys(root);
  const groups = findings.length === 0 ? new RoutesReader(root, text).read(findings) : [];
  if (findings.length > 0) throw routesFileError(file, problemsOf(findings, text), findings.length);
  return groups;
}

function duplicateKeys(root: Node): Finding[] {
  const findings: Finding[] = [];
  const visit = (node: Node, path: FieldPath): void => {
    const seen = new Set<unknown>();
    node.children?.forEach((child, index) => {
      if (node.type === 'array') {
        if (child.children) visit(child, [...path, index]);
        return;
      }
      const [key, value] = child.children ?? [];
      if (!key || !value) return;
      const at = [...path, String(key.value)];
      if (seen.has(key.value))
        findings.push({ offset: key.offset, path: at, complaint: 'this key stands here twice' });
      seen.add(key.value);
      if (value.children) visit(value, at);
    });
  };
  visit(root, []);
  return findings;
}

class RoutesReader {
  readonly #root: Node;
  readonly #text: string;
  readonly #nodes: readonly Node[];
  /** `host path` -> index of the route that has it. */
  readonly #places = new Map<string, number>();
  /** By policy and upstreams. */
  readonly #sets = new Map<string, RouteSet>();
  #findings: Finding[] = [];

  constructor(root: Node, text: string) {
    this.#root = root;
    this.#text = text;
    const routes = root.children?.find(({ children }) => children?.[0]?.value === 'routes');
    this.#nodes = routes?.children?.[1]?.children ?? [];
  }

  read(findings: Finding[]): RouteGroup[] {
    this.#findings = findings;
    const parsed = v.safeParse(RoutesFileSchema, getNodeValue(this.#root));
    if (parsed.success) parsed.output.routes.forEach((route, index) => this.#take(route, index));
    else findings.push(...parsed.issues.map((issue) => schemaFinding(issue, this.#root)));
    return groupRoutes(this.#sets);
  }

  #take(written: WrittenRoute, index: number): void {
    const host = this.#value(readHost(written.host), index, 'host');
    const rules = this.#value(readPath(written.path ?? '/'), index, 'path');
    const target = this.#target(written, index);
    if (host === undefined || rules === undefined) return;
    const place = `${host} ${rules.at(-1)?.path ?? ''}`;
    const earlier = this.#places.get(place);
    if (earlier !== undefined) return this.#tellDuplicate(place, earlier, index);
    this.#places.set(place, index);
    const { policy, canary } = written;
    const key = [
      ...[policy === undefined ? '{}' : JSON.stringify(policy), ...namesOf(target.upstreams)],
      ...(canary === undefined ? [] : ['canary', canary.weight, canary.sticky ?? '-']),
      ...namesOf(target.canary?.upstreams ?? []),
    ].join(' ');
    const set: RouteSet = this.#sets.get(key) ?? {
      ...{ target, routes: [] },
      ...(policy && { policy: policy as RoutePolicy }),
    };
    this.#sets.set(key, set);
    for (const rule of rules) set.routes.push({ host, ...rule, target: set.target });
  }

  #target(written: WrittenRoute, index: number): UpstreamsTarget {
    const { canary } = written;
    const upstreams = this.#upstreams(written.upstreams, index, 'upstreams');
    if (canary === undefined) return { kind: 'upstreams', upstreams };
    const others = this.#upstreams(canary.upstreams, index, 'canary', 'upstreams');
    return { kind: 'upstreams', upstreams, canary: { ...canary, upstreams: others } as Canary };
  }

  #upstreams(written: readonly string[], index: number, ...field: FieldPath): Upstream[] {
    const upstreams: Upstream[] = [];
    written.forEach((text, at) => {
      const upstream = this.#value(readUpstream(text), index, ...field, at);
      if (upstream === undefined) return;
      if (upstreams.some(({ instanceId }) => instanceId === upstream.instanceId))
        this.#tell(`${upstream.instanceId} stands in the list already`, index, ...field, at);
      upstreams.push(upstream);
    });
    return upstreams;
  }

  #tellDuplicate(place: string, earlier: number, index: number): void {
    const [host, path] = place.split(' ');
    const { line } = positionOf(this.#text, this.#nodes[earlier]?.offset ?? 0);
    const where = `routes[${earlier}] in line ${line}`;
    this.#tell(`"${host}" has a route for "${path}" already: ${where}`, index);
  }

  #value<T>(field: Field<T>, index: number, ...rest: FieldPath): T | undefined {
    if ('value' in field) return field.value;
    this.#tell(field.complaint, index, ...rest);
    return undefined;
  }

  #tell(complaint: string, index: number, ...rest: FieldPath): void {
    const node = this.#nodes[index] ?? this.#root;
    this.#findings.push({
      offset: offsetOf(node, rest),
      path: ['routes', index, ...rest],
      complaint,
    });
  }
}

type UpstreamsTarget = Extract<RouteTarget, { kind: 'upstreams' }>;

/** The order in which they are written means nothing. */
const namesOf = (upstreams: readonly Upstream[]): string[] =>
  upstreams.map(({ instanceId }) => instanceId).sort();
