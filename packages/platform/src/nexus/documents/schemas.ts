// Every document of the state store: its key and its schema. The store checks documents against
// this table on the way in and out.
import { ErrorBodySchema, TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import type { RoutePolicy } from '../../domain/route-policy.ts';
import type { BuiltImage } from '../../domain/release.ts';
import { PolicyMessage } from '../../ports/route-policy-schema.ts';
import type { ValidateDocument } from '../../ports/state-store.ts';
import { SealedSecret } from '../secrets/sealed-secret.ts';

const Formation = v.record(v.string(), v.object({ count: v.number(), memoryBytes: v.number() }));

/** Numbers that are never handed out twice: `counters`. */
export const CountersDocument = v.object({
  schemaVersion: v.literal(1),
  nextAppId: v.number(),
  /** Address numbers of instances, jobs and builds; see domain/installation.ts. */
  nextAddress: v.number(),
  epoch: v.number(),
});
export type CountersDocument = v.InferOutput<typeof CountersDocument>;

/** `app-names/<name>` */
export const AppNameDocument = v.object({ schemaVersion: v.literal(1), appId: v.number() });

/** `apps/<id>` */
export const AppDocument = v.object({
  schemaVersion: v.literal(1),
  id: v.number(),
  name: v.string(),
  createdAtMs: v.number(),
  state: v.picklist(['active', 'destroying']),
  formation: Formation,
  currentRelease: v.optional(v.number()),
  activeDeploy: v.optional(v.number()),
  nextRelease: v.number(),
  nextDeploy: v.number(),
  nextInstance: v.number(),
  secretKey: SealedSecret,
  /** Host names besides NAME.<suffix>, each claimed by a document of its own. */
  domains: v.optional(v.array(v.string())),
});
export type AppDocument = v.InferOutput<typeof AppDocument>;

/** `apps/<id>/config`: what the user set; values sealed. */
export const ConfigDocument = v.object({
  schemaVersion: v.literal(1),
  revision: v.number(),
  /** Revision that the newest release carries. */
  releasedRevision: v.number(),
  entries: v.record(v.string(), v.object({ value: SealedSecret, secret: v.boolean() })),
});
export type ConfigDocument = v.InferOutput<typeof ConfigDocument>;

/** `apps/<id>/policy`: what its owner asks of the balancers, for all its routes. */
export const PolicyDocument = v.object({
  schemaVersion: v.literal(1),
  policy: PolicyMessage as v.GenericSchema<unknown, RoutePolicy>,
});
export type PolicyDocument = v.InferOutput<typeof PolicyDocument>;

const ImageDocument = v.custom<BuiltImage>(
  (value) => typeof value === 'object' && value !== null && 'layers' in value,
);

/** `apps/<id>/releases/<n>` */
export const ReleaseDocument = v.object({
  schemaVersion: v.literal(1),
  number: v.number(),
  deploy: v.number(),
  kind: v.picklist(['deploy', 'rollback', 'config', 'scale', 'restart']),
  createdAtMs: v.number(),
  state: v.picklist(['pending', 'live', 'failed']),
  image: ImageDocument,
  /** The release that the image was built for. */
  imageOf: v.number(),
  configRevision: v.number(),
  config: v.record(v.string(), v.object({ value: SealedSecret, secret: v.boolean() })),
  /** Applied in the database when this release went live. */
  migrationsApplied: v.array(v.string()),
  note: v.string(),
});
export type ReleaseDocument = v.InferOutput<typeof ReleaseDocument>;

/** `apps/<id>/deploys/<n>`: the state machine of one deploy, rollback, config change ... */
export const DeployDocument = v.object({
  schemaVersion: v.literal(1),
  number: v.number(),
  kind: v.picklist(['deploy', 'rollback', 'config', 'scale', 'restart']),
  state: v.picklist(['running', 'live', 'failed', 'cancelled']),
  phase: v.picklist([
    'upload',
    'detect',
    'build',
    'release',
    'migrate',
    'start',
    'switch',
    'drain',
  ]),
  startedAtMs: v.number(),
  finishedAtMs: v.optional(v.number()),
  phasesMs: v.record(v.string(), v.number()),
  cancelRequested: v.boolean(),
  note: v.string(),
  /** File name of the uploaded archive under the app's directory. */
  archive: v.optional(v.string()),
  /** Rollback, config, scale and restart run the image of this release. */
  fromRelease: v.optional(v.number()),
  image: v.optional(ImageDocument),
  release: v.optional(v.number()),
  /** Whether a release of its own is recorded (scale and restart keep the current one). */
  makesRelease: v.boolean(),
  migrationsApplied: v.optional(v.array(v.string())),
  formation: v.optional(Formation),
  newInstances: v.array(v.string()),
  oldInstances: v.array(v.string()),
  error: v.optional(ErrorBodySchema),
});
export type DeployDocument = v.InferOutput<typeof DeployDocument>;

/** `apps/<id>/instances/<instanceId>`: desired state of one instance. */
export const InstanceDocument = v.object({
  schemaVersion: v.literal(1),
  instanceId: v.string(),
  release: v.number(),
  processType: v.string(),
  index: v.number(),
  memoryBytes: v.number(),
  desired: v.picklist(['running', 'draining', 'stopped']),
  onProbation: v.boolean(),
  ipv6: v.string(),
  ipv4: v.string(),
  createdAtMs: v.number(),
  /** When draining: the latest moment at which it is stopped. */
  drainUntilMs: v.optional(v.number()),
});
export type InstanceDocument = v.InferOutput<typeof InstanceDocument>;

/** `apps/<id>/services/<kind>`: what opens the app's part of a service. */
export const AttachmentDocument = v.object({
  schemaVersion: v.literal(1),
  credentials: v.record(v.string(), SealedSecret),
});
export type AttachmentDocument = v.InferOutput<typeof AttachmentDocument>;

/** `services/<kind>/shared`: address and administrator of the platform's own cluster. */
export const ClusterDocument = v.object({
  schemaVersion: v.literal(1),
  ipv6: v.string(),
  ipv4: v.string(),
  adminPassword: SealedSecret,
});
export type ClusterDocument = v.InferOutput<typeof ClusterDocument>;

/** `domains/<host>`: whose a host name is. In keys, `_` stands for the `*` of a wildcard. */
export const DomainDocument = v.object({
  schemaVersion: v.literal(1),
  host: v.string(),
  appId: v.number(),
  addedAtMs: v.number(),
});
export type DomainDocument = v.InferOutput<typeof DomainDocument>;

/** `certificates/<host>`: the certificate in use, and how it stands with the next one. */
export const CertificateDocument = v.object({
  schemaVersion: v.literal(1),
  host: v.string(),
  source: v.picklist(['acme', 'imported', 'self-signed']),
  names: v.array(v.string()),
  chainPem: v.string(),
  privateKey: SealedSecret,
  fingerprint: v.string(),
  notBeforeMs: v.number(),
  notAfterMs: v.number(),
  /** Authorities date certificates back; what is left counts from here. */
  obtainedAtMs: v.number(),
  attempts: v.object({
    /** In a row; 0 after a success. */
    failures: v.number(),
    failingSinceMs: v.optional(v.number()),
    nextAtMs: v.optional(v.number()),
    error: v.optional(ErrorBodySchema),
  }),
});
export type CertificateDocument = v.InferOutput<typeof CertificateDocument>;

/** `certificate-accounts/<id>`: our account at a certificate authority is this key. */
export const CertificateAccountDocument = v.object({
  schemaVersion: v.literal(1),
  authority: v.string(),
  key: SealedSecret,
});
export type CertificateAccountDocument = v.InferOutput<typeof CertificateAccountDocument>;

const TABLE: readonly (readonly [RegExp, v.GenericSchema])[] = [
  [/^counters$/, CountersDocument],
  [/^app-names\/[a-z0-9-]+$/, AppNameDocument],
  [/^apps\/\d+$/, AppDocument],
  [/^apps\/\d+\/config$/, ConfigDocument],
  [/^apps\/\d+\/policy$/, PolicyDocument],
  [/^apps\/\d+\/releases\/\d+$/, ReleaseDocument],
  [/^apps\/\d+\/deploys\/\d+$/, DeployDocument],
  [/^apps\/\d+\/instances\/[a-z0-9-]+$/, InstanceDocument],
  [/^apps\/\d+\/services\/[a-z]+$/, AttachmentDocument],
  [/^services\/[a-z]+\/shared$/, ClusterDocument],
  [/^domains\/[a-z0-9_.-]+$/, DomainDocument],
  [/^certificates\/[a-z0-9_.-]+$/, CertificateDocument],
  [/^certificate-accounts\/[0-9a-f]{16}$/, CertificateAccountDocument],
];

export const validateDocument: ValidateDocument = (key, value) => {
  const schema = TABLE.find(([pattern]) => pattern.test(key))?.[1];
  if (!schema) throw new TandemError('STORE_DOCUMENT_INVALID', `no schema for document ${key}`);
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new TandemError(
    'STORE_DOCUMENT_INVALID',
    `document ${key}: ${v.getDotPath(issue) ?? 'value'}: ${issue.message}`,
  );
};
