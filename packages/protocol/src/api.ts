// Control API: JSON over HTTP on the control socket. Paths stand beside their schemas. Streams are
// newline-delimited JSON; an empty line says only that the stream is alive. Errors are
// `{ "error": ErrorBody }`: as an answer with the status of their code, or as the last line of a stream.
import * as v from 'valibot';

export const API_VERSION = 'v1';

/** A DNS label, so that NAME.suffix is a hostname. */
export const AppName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/),
  v.check((name) => !name.includes('--') && !/^[0-9]+$/.test(name)),
);

export const ErrorBodySchema = v.object({
  code: v.string(),
  message: v.string(),
  where: v.optional(v.string()),
  hint: v.optional(v.string()),
  log: v.optional(v.string()),
});

export const FindingSchema = v.object({
  rule: v.string(),
  value: v.string(),
  why: v.string(),
  evidence: v.optional(v.string()),
  /** Absent: certain. */
  confidence: v.optional(v.picklist(['certain', 'likely', 'guess'])),
});

export type FindingView = v.InferOutput<typeof FindingSchema>;

export const ErrorAnswer = v.object({ error: ErrorBodySchema });

export const ProcessFormation = v.object({ count: v.number(), memoryBytes: v.number() });

/** GET /v1/apps -> { apps: AppSummary[] }; POST /v1/apps { name } -> AppSummary; GET /v1/apps/:app */
export const AppSummary = v.object({
  id: v.number(),
  name: v.string(),
  urls: v.array(v.string()),
  /** Absent before the first release is live. */
  release: v.optional(v.number()),
  framework: v.optional(v.string()),
  state: v.picklist(['empty', 'live', 'deploying', 'degraded', 'destroying']),
  instances: v.object({ ready: v.number(), desired: v.number() }),
  formation: v.record(v.string(), ProcessFormation),
  createdAtMs: v.number(),
  /** Absent when it has none. */
  volume: v.optional(
    v.object({
      sizeBytes: v.number(),
      /** Absent while it is not mounted. */
      usedBytes: v.optional(v.number()),
      /** Of the current release, inside its sandboxes. */
      paths: v.array(v.string()),
    }),
  ),
});
export type AppSummary = v.InferOutput<typeof AppSummary>;
export const AppList = v.object({ apps: v.array(AppSummary) });
export const CreateAppRequest = v.object({ name: v.string() });

export const DEPLOY_PHASES = [
  'upload',
  'detect',
  'build',
  'release',
  'migrate',
  'start',
  'switch',
  'drain',
] as const;
export type DeployPhase = (typeof DEPLOY_PHASES)[number];

export const DeployKind = v.picklist(['deploy', 'rollback', 'config', 'scale', 'restart']);
export type DeployKind = v.InferOutput<typeof DeployKind>;

/**
 * POST /v1/apps/:app/deploys?create=true (body: tar, plain or gzip) -> 202 DeployStarted.
 * POST /v1/apps/:app/deploys/retry -> DeployStarted (last failed build, no rebuild).
 * POST /v1/apps/:app/rollback { to?, force? } -> DeployStarted.
 * POST /v1/apps/:app/restart -> DeployStarted. POST /v1/apps/:app/scale ScaleRequest -> DeployStarted.
 * POST /v1/apps/:app/deploys/:n/cancel -> DeployStatus.
 */
export const DeployStarted = v.object({
  app: v.string(),
  deploy: v.number(),
  created: v.boolean(),
});
export type DeployStarted = v.InferOutput<typeof DeployStarted>;

/** GET /v1/apps/:app/deploys/:n; GET /v1/apps/:app/deploys -> { deploys: DeployStatus[] }, newest first */
export const DeployStatus = v.object({
  app: v.string(),
  deploy: v.number(),
  kind: DeployKind,
  state: v.picklist(['running', 'live', 'failed', 'cancelled']),
  phase: v.picklist(DEPLOY_PHASES),
  release: v.optional(v.number()),
  /** Milliseconds per finished phase. */
  phasesMs: v.record(v.string(), v.number()),
  startedAtMs: v.number(),
  finishedAtMs: v.optional(v.number()),
  error: v.optional(ErrorBodySchema),
});
export type DeployStatus = v.InferOutput<typeof DeployStatus>;
export const DeployList = v.object({ deploys: v.array(DeployStatus) });

/**
 * GET /v1/apps/:app/deploys/:n/events?from=SEQ: NDJSON of these; ends after `finished`. Of the states
 * of a phase, `progress` with `ms` is a step that is over and `done` ends the phase: both are told as
 * lines when they have a detail. `progress` without `ms` says only what is under way.
 */
export const DeployEvent = v.variant('type', [
  v.object({
    type: v.literal('phase'),
    seq: v.number(),
    atMs: v.number(),
    phase: v.picklist(DEPLOY_PHASES),
    state: v.picklist(['started', 'progress', 'done', 'failed', 'skipped']),
    detail: v.string(),
    ms: v.optional(v.number()),
  }),
  v.object({
    type: v.literal('finding'),
    seq: v.number(),
    atMs: v.number(),
    finding: FindingSchema,
  }),
  v.object({ type: v.literal('log'), seq: v.number(), atMs: v.number(), text: v.string() }),
  v.object({
    type: v.literal('finished'),
    seq: v.number(),
    atMs: v.number(),
    status: DeployStatus,
    urls: v.array(v.string()),
    /** Next commands worth knowing. */
    next: v.array(v.string()),
  }),
]);
export type DeployEvent = v.InferOutput<typeof DeployEvent>;

/** GET /v1/apps/:app/releases -> { releases: ReleaseSummary[] }, newest first */
export const ReleaseSummary = v.object({
  number: v.number(),
  kind: DeployKind,
  current: v.boolean(),
  createdAtMs: v.number(),
  framework: v.string(),
  python: v.string(),
  /** The release whose image this one uses, when it is not its own. */
  imageOf: v.optional(v.number()),
  migrationsApplied: v.number(),
  note: v.string(),
});
export type ReleaseSummary = v.InferOutput<typeof ReleaseSummary>;
export const ReleaseList = v.object({ releases: v.array(ReleaseSummary) });

const ordinal = v.pipe(v.number(), v.integer(), v.minValue(1));

export const RollbackRequest = v.object({
  to: v.optional(ordinal),
  /** Go back although migrations applied since then stay applied. */
  force: v.optional(v.boolean()),
});
export type RollbackRequest = v.InferOutput<typeof RollbackRequest>;

/** GET /v1/apps/:app/config -> ConfigView; PATCH /v1/apps/:app/config ConfigChange -> ConfigChanged */
export const ConfigView = v.object({
  revision: v.number(),
  /** Keys changed with --stage that no release carries yet. */
  staged: v.boolean(),
  entries: v.array(
    v.object({
      key: v.string(),
      /** Absent for secrets. */
      value: v.optional(v.string()),
      secret: v.boolean(),
      /** `app`: set by the user; `platform`: handed out by Tandem. */
      source: v.picklist(['app', 'platform']),
    }),
  ),
});
export type ConfigView = v.InferOutput<typeof ConfigView>;
export const ConfigChange = v.object({
  set: v.record(v.string(), v.string()),
  unset: v.array(v.string()),
  secret: v.boolean(),
  stage: v.boolean(),
});
export type ConfigChange = v.InferOutput<typeof ConfigChange>;
/** `deploy`: the one that rolls the change out; absent when staged or when nothing runs yet. */
export const ConfigChanged = v.object({ revision: v.number(), deploy: v.optional(v.number()) });
export type ConfigChanged = v.InferOutput<typeof ConfigChanged>;

/**
 * GET /v1/apps/:app/domains -> { domains: DomainView[] }; POST { host } -> DomainView;
 * DELETE /v1/apps/:app/domains/:host -> { removed: true };
 * PUT /v1/apps/:app/domains/:host/certificate CertificateUpload -> DomainView
 */
export const DomainView = v.object({
  /** ASCII, lower case; `*.example` for every name below. */
  host: v.string(),
  /** NAME.<suffix>: every app has one, and nobody can take it away. */
  given: v.boolean(),
  certificate: v.object({
    /** `none`: signed by the platform itself, and no authority is asked. */
    state: v.picklist(['none', 'pending', 'valid', 'renewing', 'failing', 'expired']),
    source: v.optional(v.picklist(['acme', 'imported', 'self-signed'])),
    validUntilMs: v.optional(v.number()),
    failingSinceMs: v.optional(v.number()),
    nextAttemptMs: v.optional(v.number()),
    /** Why the last order failed. */
    error: v.optional(ErrorBodySchema),
  }),
});
export type DomainView = v.InferOutput<typeof DomainView>;
export const DomainList = v.object({ domains: v.array(DomainView) });
export const AddDomainRequest = v.object({ host: v.string() });
export const DomainRemoved = v.object({ removed: v.literal(true) });
/** PEM: the certificate with its chain, and its key, not encrypted. */
export const CertificateUpload = v.object({ chainPem: v.string(), privateKeyPem: v.string() });
export type CertificateUpload = v.InferOutput<typeof CertificateUpload>;

/**
 * GET /v1/apps/:app/policy -> PolicyView; PATCH PolicyChange -> PolicyView, in force when it answers.
 * The keys are those of docs/operating/standalone-balancer.md; hashes of passwords are not given out.
 */
export const PolicyView = v.object({ policy: v.record(v.string(), v.unknown()) });
export type PolicyView = v.InferOutput<typeof PolicyView>;
/** Whole keys: what is set replaces what was there. */
export const PolicyChange = v.object({
  set: v.record(v.string(), v.unknown()),
  unset: v.array(v.string()),
});
export type PolicyChange = v.InferOutput<typeof PolicyChange>;

/** Either may be left out: `web=2`, `web=:512M`. */
export const ScaleRequest = v.object({
  processes: v.record(
    v.string(),
    v.object({
      count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      memoryBytes: v.optional(ordinal),
    }),
  ),
});
export type ScaleRequest = v.InferOutput<typeof ScaleRequest>;

/** GET /v1/apps/:app/processes -> { processes: ProcessView[] } */
export const ProcessView = v.object({
  name: v.string(),
  instanceId: v.string(),
  /** 0: a service of the app, which belongs to none. */
  release: v.number(),
  node: v.string(),
  state: v.string(),
  memoryBytes: v.optional(v.number()),
  memoryLimitBytes: v.number(),
  startedAtMs: v.optional(v.number()),
  restarts: v.number(),
  reason: v.optional(v.string()),
});
export type ProcessView = v.InferOutput<typeof ProcessView>;
export const ProcessList = v.object({ processes: v.array(ProcessView) });

/**
 * GET /v1/apps/:app/explanation?deploy=N or ?release=N -> Explanation. Without either: the newest
 * deploy when it failed, else what is wrong with what runs.
 */
export const Explanation = v.object({
  app: v.string(),
  /** What it is about: `d7` a deploy, `v3` a release, `web.1` a process. */
  subject: v.string(),
  state: v.picklist(['failed', 'cancelled', 'running', 'live', 'ended', 'unhealthy', 'empty']),
  /** One line for people. */
  summary: v.string(),
  cause: v.optional(ErrorBodySchema),
  /** Of the log, those that led to the cause. */
  lines: v.array(v.string()),
  /** What else it may be, the more likely first. */
  candidates: v.array(ErrorBodySchema),
  /** What runs of the app now. */
  processes: v.array(v.pick(ProcessView, ['name', 'release', 'state', 'restarts', 'reason'])),
});
export type Explanation = v.InferOutput<typeof Explanation>;

/** GET /v1/apps/:app/logs?follow&tail=N&process=&release=&since=MS&grep= : NDJSON of LogLine */
export const LogLine = v.object({
  atMs: v.number(),
  process: v.string(),
  /** `v3`, or `d7` for the build of deploy 7. */
  release: v.string(),
  stream: v.picklist(['stdout', 'stderr']),
  text: v.string(),
});
export type LogLine = v.InferOutput<typeof LogLine>;

/**
 * POST /v1/apps/:app/run with `Upgrade: tandem-run` -> 101, then frames both ways (run-frames.ts).
 * The first one from the client is `start` with a RunRequest; the last one of the server is `exit`
 * with a RunExit, or `error` with an ErrorBody.
 */
export const RunRequest = v.object({
  command: v.pipe(v.array(v.string()), v.minLength(1)),
  terminal: v.boolean(),
  /** Of the terminal; zero without one. */
  columns: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
  rows: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
  /** TERM and the like; never secrets. */
  term: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9._+-]{1,64}$/))),
});
export type RunRequest = v.InferOutput<typeof RunRequest>;
export const TerminalSize = v.pick(RunRequest, ['columns', 'rows']);
export type TerminalSize = v.InferOutput<typeof TerminalSize>;
export const RunExit = v.object({ code: v.pipe(v.number(), v.integer()) });

/** GET /v1/status */
export const PlatformStatus = v.object({
  version: v.string(),
  installation: v.string(),
  healthy: v.boolean(),
  /** One line per component: agent, balancer, static server, postgresql ... */
  components: v.array(
    v.object({
      name: v.string(),
      state: v.string(),
      detail: v.string(),
      pssBytes: v.optional(v.number()),
    }),
  ),
  /** Where apps answer: `http://NAME.localhost:8080`. */
  urlTemplate: v.string(),
  memory: v.object({ platformBytes: v.number(), roomBytes: v.number(), totalBytes: v.number() }),
  apps: v.number(),
  warnings: v.array(v.string()),
});
export type PlatformStatus = v.InferOutput<typeof PlatformStatus>;

/** GET /v1/doctor -> { checks: DoctorCheck[] } */
export const DoctorCheck = v.object({
  name: v.string(),
  state: v.picklist(['ok', 'warning', 'failed']),
  detail: v.string(),
  fix: v.optional(v.string()),
});
export type DoctorCheck = v.InferOutput<typeof DoctorCheck>;
export const DoctorReport = v.object({ checks: v.array(DoctorCheck) });

/** POST /v1/detect (body: tar) -> DetectResult; `toml`: a tandem.toml that says the same. */
export const DetectResult = v.object({ findings: v.array(FindingSchema), toml: v.string() });
export type DetectResult = v.InferOutput<typeof DetectResult>;
/** GET /v1/apps/:app/findings -> what the build of the current release found. */
export const ReleaseFindings = v.object({
  release: v.number(),
  findings: v.array(FindingSchema),
});
export type ReleaseFindings = v.InferOutput<typeof ReleaseFindings>;
export const Destroyed = v.object({ destroyed: v.literal(true) });

/** DELETE /v1/apps/:app?confirm=NAME -> { destroyed: true } */
