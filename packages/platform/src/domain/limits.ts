// Every default and bound of the platform in one place; docs/reference/defaults.md is generated
// from it. Names carry their unit.
// Not the whole protocol: a balancer worker would be 6 MB larger for its schemas.
import { UPLOAD_LIMITS } from '@tandem/protocol/upload-limits';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export const LIMITS = {
  upload: UPLOAD_LIMITS,
  control: {
    bodyBytesMax: MIB,
    bodyTimeoutMs: 30_000,
    /** An upload that sends nothing for this long is given up. */
    uploadIdleMs: 60_000,
    /** A stream with nothing to say sends an empty line this often. */
    streamPulseMs: 10_000,
    connectionsMax: 256,
  },
  build: {
    timeoutMs: 20 * 60_000,
    memoryBytes: 2 * GIB,
    /** What compiles or bundles may have a quarter of the machine up to this: one build at a time. */
    memoryBytesMax: 8 * GIB,
    diskBytes: 8 * GIB,
    pids: 1024,
    logBytesMax: 32 * MIB,
    /** Wheels that apps share; emptied at a start of the agent when larger. */
    wheelCacheBytesMax: 8 * GIB,
  },
  instance: {
    memoryBytes: 512 * MIB,
    pids: 256,
    openFiles: 16_384,
    tmpBytes: 512 * MIB,
    /** Everything a sandboxed process listens on for HTTP. */
    port: 8000,
    countMax: 100,
  },
  probe: { intervalMs: 10_000, timeoutMs: 5_000, failures: 3, startTimeoutMs: 60_000 },
  drain: { webMs: 30_000, webSocketMs: 60_000, workerMs: 600_000, generationsMax: 3 },
  hold: { timeoutMs: 30_000, requestsMax: 1_000 },
  restart: { delayMsFirst: 1_000, delayMsMax: 60_000, crashesMax: 5, stableAfterMs: 60_000 },
  gunicorn: { threads: 8, keepAliveS: 75 },
  balancer: {
    keepAliveMs: 60_000,
    /** What a request that cannot be retried may reuse when the server's keep-alive is unknown. */
    reuseIdleMsMax: 1_000,
    headBytesMax: 64 * KIB,
    headerCountMax: 128,
    acknowledgeTimeoutMs: 600_000,
    snapshotWaitMs: 2_000,
    connectTimeoutMs: 2_000,
    /** From the end of a request to the first byte of the answer. */
    responseTimeoutMs: 300_000,
    /** Read before an instance is chosen, so a slow client holds no worker. */
    smallBodyBytesMax: 64 * KIB,
    headTimeoutMs: 30_000,
    /** For the header of a proxy that speaks the PROXY protocol: it is the first that a proxy sends. */
    proxyHeaderTimeoutMs: 5_000,
    /** Silence in the middle of a request body. */
    bodyIdleTimeoutMs: 60_000,
    /** A client that takes nothing of its answer for this long is given up. */
    answerStallMs: 60_000,
    /** How long a client that is to go may still read what it was told. */
    lingerMs: 1_000,
    /** Of a path, with its query, in an access record. */
    accessPathBytesMax: 1024,
    /** Read ahead of a client that sends its next requests before it has the answer. */
    pipelinedBytesMax: 64 * KIB,
    /** Of one response, for a client that reads slower than the app writes. */
    responseBufferBytesMax: 256 * KIB,
    /** Answers of known length up to this are passed on whole, unless that takes too long. */
    heldAnswerBytesMax: 64 * KIB,
    heldAnswerMs: 1_000,
    idleConnectionsPerInstanceMax: 256,
    connectionsMax: 8_000,
    handshakeTimeoutMs: 10_000,
    /** Certificates ready for use; others are made ready when a client asks for them. */
    secureContextsMax: 1_000,
    /** How long a client may take up an earlier session. */
    sessionLifeMs: 2 * 3_600_000,
    /** Requests under way on one HTTP/2 connection. */
    streamsMax: 100,
    /** Requests that a client may take back at once, and then in each second. */
    streamResetBurst: 200,
    streamResetsPerSecond: 20,
  },
  policy: {
    /** Whose rate is remembered, in each worker; an IPv6 client is a /64. */
    rateClientsMax: 65_536,
    /** Requests beyond the number an app takes at a time, until they get a 503. */
    waitTimeoutMs: 30_000,
    /** scrypt takes 32 MiB and a tenth of a second each. */
    verificationsAtOnceMax: 2,
    verificationsWaitingMax: 64,
    verifiedCredentialsMax: 1_000,
    /** Answers under compression, in each worker: each takes a quarter of a MiB. */
    compressorsMax: 128,
    compressionBytesMin: KIB,
  },
  certificates: {
    /** From the order to the certificate in hand. */
    orderTimeoutMs: 600_000,
    requestTimeoutMs: 30_000,
    pollIntervalMs: 500,
    pollIntervalMsMax: 5_000,
    /** One call of the command that writes DNS records; it may wait until they have spread. */
    hookTimeoutMs: 300_000,
    lookupTimeoutMs: 5_000,
    /** Until every balancer has what the authority asks for: longer than one may be silent. */
    presentTimeoutMs: 15_000,
    retryDelayMsFirst: 60_000,
    retryDelayMsMax: 6 * 3_600_000,
    /** A look at the DNS costs nobody anything. */
    retryDnsDelayMsMax: 600_000,
    /** What a certificate authority may ask us to wait. */
    retryAfterMsMax: 7 * 24 * 3_600_000,
    lookIntervalMsMax: 3_600_000,
    leaseMs: 30_000,
    /** How long one key encrypts the session tickets of TLS. */
    ticketKeyMs: 24 * 3_600_000,
    /** Each is a process of some 80 MB, for seconds. */
    ordersAtOnceMax: 2,
    selfSignedMs: 90 * 24 * 3_600_000,
    /** Of an uploaded certificate with its chain, or its key. */
    pemBytesMax: 64 * KIB,
    chainLengthMax: 10,
    domainsPerAppMax: 100,
  },
  /** Memory that starts leave free for the system and its page cache. */
  room: { reserveBytes: 64 * MIB },
  releases: { warm: 2, onDisk: 10 },
  volume: { sizeBytes: GIB, sizeBytesMin: 16 * MIB, sizeBytesMax: 1024 * GIB },
  store: {
    keyBytesMax: 512,
    valueBytesMax: 256 * KIB,
    operationsMax: 100,
    historyRevisions: 10_000,
    busyTimeoutMs: 5_000,
  },
  logs: {
    rotateBytes: 16 * MIB,
    bytesPerAppMax: 256 * MIB,
    filesPerAppMax: 500,
    lineBytesMax: 64 * KIB,
    tailLinesMax: 10_000,
  },
  postgresql: {
    connectionsMax: 300,
    connectionsPerRoleMin: 20,
    /** So that no app alone fills the shared cluster. */
    connectionsPerRoleMax: 150,
    /** For a process that is not a web server: a worker with its children. */
    connectionsPerProcess: 8,
    /** Jobs, a shell, a look at the applied migrations. */
    connectionsReserve: 6,
    pids: 400,
    memoryBytesMin: 256 * MIB,
    memoryBytesMax: 8 * GIB,
    startTimeoutMs: 60_000,
    stopGraceMs: 60_000,
    /** Longest time a transaction may sit idle while it holds its locks. */
    idleInTransactionTimeoutMs: 600_000,
  },
  redis: {
    /** Of the data and the buffers of clients; above it writes are refused. */
    memoryBytes: 64 * MIB,
    clientsMax: 1_000,
    pids: 32,
    startTimeoutMs: 30_000,
    stopGraceMs: 30_000,
  },
} as const;

/** Of the balancer, where a test or an owner sets others. */
export type BalancerLimits = { readonly [Name in keyof typeof LIMITS.balancer]: number };
