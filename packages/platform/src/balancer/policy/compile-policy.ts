// A policy as its route uses it, made when the table changes. The order in which policies act:
//
//   allow, deny      who may not come learns nothing else
//   rateLimit        before anything that costs
//   redirectToHttps  before anything is asked for in the clear
//   maintenance
//   basicAuth
//   limits           of the body, then of requests under way
//   ... the choice of the upstream, a canary among them ...
//   requestHeaders   and the answer, on its way back:
//   responseHeaders  so that compression sees what they say
//   compression
import type { RoutePolicy } from '../../domain/route-policy.ts';
import type { Treatment } from '../answer-changes.ts';
import type { Exchange } from '../exchange.ts';
import { AccessList } from './access-list.ts';
import type { AdmissionPolicy } from './admission.ts';
import { AnswerPolicy } from './answer-policy.ts';
import { BasicAuth } from './basic-auth.ts';
import { BodyLimit } from './body-limit.ts';
import { Compressors } from './compressors.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { fieldChange } from './field-changes.ts';
import { HttpsRedirect } from './https-redirect.ts';
import { Maintenance } from './maintenance.ts';
import { RateLimit } from './rate-limit.ts';
import { RateLedger } from './rate-ledger.ts';
import { VerificationQueue } from './verification-queue.ts';

/** What all policies of a worker share. */
export interface PolicySurroundings {
  readonly rates: RateLedger;
  readonly verifications: VerificationQueue;
  readonly compressors: Compressors;
}

export const newPolicySurroundings = (): PolicySurroundings => ({
  rates: new RateLedger(),
  verifications: new VerificationQueue(),
  compressors: new Compressors(),
});

export interface CompiledPolicy {
  readonly admission: readonly AdmissionPolicy[];
  readonly bodyLimit: BodyLimit | undefined;
  /** Undefined when the request and its answer go on as they are. */
  readonly treatmentOf: ((exchange: Exchange) => Treatment) | undefined;
}

/**
 * Gives what was made for the same `key` and `config` before, else what `make` gives: counts, places
 * and verified passwords outlive a change of something else.
 */
export type Keep = <Kept>(key: keyof RoutePolicy, config: unknown, make: () => Kept) => Kept;

export function compilePolicy(
  policy: RoutePolicy,
  surroundings: PolicySurroundings,
  keep: Keep,
): CompiledPolicy {
  const { basicAuth, limits = {} } = policy;
  const { requestBodyBytesMax } = limits;
  const bodyLimit =
    requestBodyBytesMax === undefined ? undefined : new BodyLimit(requestBodyBytesMax);
  const auth =
    basicAuth &&
    keep('basicAuth', basicAuth, () => new BasicAuth(basicAuth, surroundings.verifications));
  const admission = [
    ...gates(policy, surroundings, keep),
    auth,
    bodyLimit,
    concurrencyOf(limits, keep),
  ].filter((one) => one !== undefined);
  return { admission, bodyLimit, treatmentOf: treatments(policy, auth, surroundings) };
}

/** Before anybody says who they are. */
function gates(
  { allow, deny, rateLimit, redirectToHttps, maintenance }: RoutePolicy,
  { rates }: PolicySurroundings,
  keep: Keep,
): (AdmissionPolicy | undefined)[] {
  return [
    allow || deny ? new AccessList(allow, deny) : undefined,
    rateLimit && keep('rateLimit', rateLimit, () => new RateLimit(rateLimit, rates)),
    redirectToHttps && new HttpsRedirect(redirectToHttps),
    maintenance && new Maintenance(maintenance),
  ];
}

function concurrencyOf(
  { requestsMax, waitingMax = 0 }: NonNullable<RoutePolicy['limits']>,
  keep: Keep,
): ConcurrencyLimit | undefined {
  if (requestsMax === undefined) return undefined;
  const bounds = { requestsMax, waitingMax };
  return keep('limits', bounds, () => new ConcurrencyLimit(bounds));
}

function treatments(
  policy: RoutePolicy,
  auth: BasicAuth | undefined,
  { compressors }: PolicySurroundings,
): CompiledPolicy['treatmentOf'] {
  const responseTimeoutMs = policy.limits?.responseTimeoutMs;
  const answer = AnswerPolicy.of(policy, compressors);
  const { requestHeaders = {} } = policy;
  const requestFields = fieldChange(requestHeaders);
  const hidesPassword = auth !== undefined && policy.basicAuth?.passesHeader !== true;
  const usual: Treatment = { requestFields, answer, responseTimeoutMs };
  if (!hidesPassword) {
    const isNone = !requestFields && !answer && responseTimeoutMs === undefined;
    return isNone ? undefined : () => usual;
  }
  const authorized = {
    ...usual,
    requestFields: fieldChange(requestHeaders, ['authorization']),
  };
  // What an exempt path is asked with is for the app.
  return (exchange) => (auth.isExempt(exchange) ? usual : authorized);
}
