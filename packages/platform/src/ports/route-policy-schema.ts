// The shape of a policy, strict, for files that people write and for messages.
import * as v from 'valibot';
import {
  addressRangeComplaint,
  exemptPathComplaint,
  headerNameComplaint,
  headerValueComplaint,
  passwordHashComplaint,
  realmComplaint,
  type RoutePolicy,
  STICKINESS,
  userNameComplaint,
} from '../domain/route-policy.ts';

const RANGES_MAX = 1_000;
const USERS_MAX = 1_000;
const PATHS_MAX = 100;
const FIELDS_MAX = 50;
const TEXT_LENGTH_MAX = 1_000;
const HTML_LENGTH_MAX = 64 * 1024;
const DAY_S = 86_400;

type Complain = (text: string) => string | undefined;

const text = (complain: Complain, { isSecret = false } = {}) =>
  v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const complaint = dataset.typed ? complain(dataset.value) : undefined;
      const instead = isSecret ? '' : `, not ${show(dataset.value)}`;
      if (complaint !== undefined) addIssue({ message: `${complaint}${instead}` });
    }),
  );

/** Only the beginning: a page or a hash is long. */
const show = (value: unknown): string => JSON.stringify(String(value).slice(0, 80));

const shortText = (lengthMax: number) =>
  v.pipe(v.string(), v.maxLength(lengthMax, `at most ${lengthMax} characters are needed`));

const number = (least: number, most: number) => {
  const message = `a number from ${least} to ${most} is needed`;
  return v.pipe(v.number(), v.minValue(least, message), v.maxValue(most, message));
};

const whole = (least: number, most: number) =>
  v.pipe(number(least, most), v.integer('a whole number is needed'));

const list = <Item extends v.GenericSchema>(item: Item, max: number) =>
  v.pipe(v.array(item), v.maxLength(max, `at most ${max} entries are needed`));

const record = <Key extends v.GenericSchema<string, string>, Value extends v.GenericSchema>(
  key: Key,
  value: Value,
  max: number,
) =>
  v.pipe(
    v.record(key, value),
    v.check((one) => Object.keys(one).length <= max, `at most ${max} entries are needed`),
  );

const Ranges = list(text(addressRangeComplaint), RANGES_MAX);
/** What stands there instead of a hash may well be the password. */
const Hash = text(passwordHashComplaint, { isSecret: true });
const Fields = record(text(headerNameComplaint), text(headerValueComplaint), FIELDS_MAX);

const HeaderChangesSchema = v.strictObject({
  set: v.optional(Fields),
  add: v.optional(Fields),
  remove: v.optional(list(text(headerNameComplaint), FIELDS_MAX)),
});

export const PolicyEntries = {
  allow: v.optional(Ranges),
  deny: v.optional(Ranges),
  rateLimit: v.optional(
    v.strictObject({
      requestsPerS: number(0.01, 1_000_000),
      burst: v.optional(whole(1, 1_000_000)),
    }),
  ),
  redirectToHttps: v.optional(
    v.strictObject({
      hstsMaxAgeS: v.optional(whole(0, 10 * 365 * DAY_S)),
      hstsIncludesSubdomains: v.optional(v.boolean()),
      port: v.optional(whole(1, 65_535)),
    }),
  ),
  maintenance: v.optional(
    v.strictObject({
      text: v.optional(shortText(TEXT_LENGTH_MAX)),
      html: v.optional(shortText(HTML_LENGTH_MAX)),
      retryAfterS: v.optional(whole(1, DAY_S)),
      exempt: v.optional(Ranges),
    }),
  ),
  basicAuth: v.optional(
    v.strictObject({
      realm: v.optional(text(realmComplaint)),
      users: v.pipe(
        record(text(userNameComplaint), Hash, USERS_MAX),
        v.check((users) => Object.keys(users).length > 0, 'at least one user is needed'),
      ),
      exemptPaths: v.optional(list(text(exemptPathComplaint), PATHS_MAX)),
      passesHeader: v.optional(v.boolean()),
    }),
  ),
  limits: v.optional(
    v.strictObject({
      requestBodyBytesMax: v.optional(whole(0, 2 ** 40)),
      responseTimeoutMs: v.optional(whole(1, DAY_S * 1_000)),
      requestsMax: v.optional(whole(1, 1_000_000)),
      waitingMax: v.optional(whole(0, 100_000)),
    }),
  ),
  requestHeaders: v.optional(HeaderChangesSchema),
  responseHeaders: v.optional(HeaderChangesSchema),
  compression: v.optional(v.boolean()),
} satisfies Record<keyof RoutePolicy, v.GenericSchema>;

export const CanaryEntries = {
  weight: number(0, 1),
  sticky: v.optional(v.picklist(STICKINESS)),
};

/** A key that only a later version knows is left out: what it asks for cannot be done here. */
export const PolicyMessage = v.object(PolicyEntries);
