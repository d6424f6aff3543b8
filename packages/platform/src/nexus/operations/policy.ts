// What the owner of an app asks of the balancers: who may come, how much, a page in place of the site.
// Settings that belong to the code come with it; these outlive releases.
import { TandemError, type PolicyView } from '@tandem/protocol';
import * as v from 'valibot';
import type { RoutePolicy } from '../../domain/route-policy.ts';
import { PolicyEntries } from '../../ports/route-policy-schema.ts';
import type { ControlBackend } from '../control/backend.ts';
import { KEYS, put } from '../documents/repository.ts';
import type { AppDocument, PolicyDocument } from '../documents/schemas.ts';
import type { OperationsContext } from './context.ts';

type PolicyOperations = Pick<ControlBackend, 'getPolicy' | 'changePolicy'>;

/** Balancers that are slower follow by themselves. */
const ROUTES_TIMEOUT_MS = 5_000;
const PolicySchema = v.strictObject(PolicyEntries);

export function policyOperations(context: OperationsContext): PolicyOperations {
  const { repository } = context;
  return {
    async getPolicy(name) {
      const app = await repository.appByName(name);
      return viewOf((await repository.policy(app.id))?.value.policy ?? {});
    },
    async changePolicy(name, { set, unset }) {
      const checked = check(set);
      const app = await repository.appByName(name);
      const policy = await change(context, app, { set: checked, unset });
      await publish(context, app);
      return viewOf(policy);
    },
  };
}

function check(set: Readonly<Record<string, unknown>>): RoutePolicy {
  const result = v.safeParse(PolicySchema, set);
  if (result.success) return result.output as RoutePolicy;
  const [issue] = result.issues;
  throw new TandemError('POLICY_INVALID', `${v.getDotPath(issue) ?? 'policy'}: ${issue.message}`, {
    hint: 'docs/operating/standalone-balancer.md says what may stand in a policy.',
  });
}

async function change(
  { repository }: OperationsContext,
  { id, name }: AppDocument,
  { set, unset }: { readonly set: RoutePolicy; readonly unset: readonly string[] },
): Promise<RoutePolicy> {
  const keys = { app: KEYS.app(id), policy: KEYS.policy(id) };
  return await repository.update(Object.values(keys), (read) => {
    const app = read.get(keys.app) as AppDocument | undefined;
    if (!app || app.state === 'destroying')
      throw new TandemError('APP_NOT_FOUND', `there is no app "${name}" any more`);
    const before = (read.get(keys.policy) as PolicyDocument | undefined)?.policy ?? {};
    const kept = Object.entries(before).filter(([key]) => !unset.includes(key));
    const policy: RoutePolicy = { ...Object.fromEntries(kept), ...set };
    return { writes: [put(keys.policy, { schemaVersion: 1, policy })], result: policy };
  });
}

async function publish({ routes, resolver }: OperationsContext, app: AppDocument): Promise<void> {
  const epoch = await routes.publish(app.id);
  const signal = new AbortController().signal;
  await resolver.waitAcknowledged(epoch, { timeoutMs: ROUTES_TIMEOUT_MS, signal });
}

/** Who may sign in is told; what they sign in with is not. */
function viewOf(policy: RoutePolicy): PolicyView {
  const { basicAuth } = policy;
  if (!basicAuth) return { policy: { ...policy } };
  const users = Object.fromEntries(Object.keys(basicAuth.users).map((user) => [user, '']));
  return { policy: { ...policy, basicAuth: { ...basicAuth, users } } };
}
