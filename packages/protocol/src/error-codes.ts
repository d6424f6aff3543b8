// The one registry of error codes. `docs/reference/errors.md` is generated from it, and a test keeps
// registry and uses in step. A code, once released, never changes its meaning.

/** Who can mend it: the user of the CLI (exit 1) or the operator of the platform (exit 70). */
export type ErrorKind = 'user' | 'system';

export interface ErrorDefinition {
  readonly kind: ErrorKind;
  /** Status of a control API answer that carries this error. */
  readonly httpStatus: number;
  /** One line for the reference; the message of a concrete error names the offending thing. */
  readonly summary: string;
}

const user = (httpStatus: number, summary: string): ErrorDefinition => ({
  kind: 'user',
  httpStatus,
  summary,
});
const system = (httpStatus: number, summary: string): ErrorDefinition => ({
  kind: 'system',
  httpStatus,
  summary,
});

export const ERROR_CODES = {
  // Requests
  REQUEST_INVALID: user(400, 'A request or argument does not have the expected form.'),
  USAGE: user(400, 'The command line is not understood.'),
  NOT_FOUND: user(404, 'The thing named does not exist.'),
  PLATFORM_UNREACHABLE: user(503, 'The control socket does not answer.'),
  CANCELLED: user(409, 'The work was cancelled on request.'),

  // Apps
  APP_NAME_INVALID: user(400, 'An app name is not a DNS label.'),
  APP_NOT_FOUND: user(404, 'No app has this name.'),
  APP_NAME_TAKEN: user(409, 'An app of this name exists already.'),
  APP_NOT_CHOSEN: user(400, 'No app was named and the folder is linked to none.'),
  APP_HAS_NO_RELEASE: user(409, 'The app was never deployed.'),
  RELEASE_NOT_FOUND: user(404, 'The app has no such release.'),
  CONFIG_KEY_INVALID: user(400, 'A config key is not a valid environment name, or is reserved.'),
  SCALE_INVALID: user(400, 'A process type, count or size is not valid.'),
  CONFIRMATION_NEEDED: user(409, 'The command loses something and must be confirmed.'),

  POLICY_INVALID: user(400, 'A policy of an app has a key or value that it cannot have.'),

  // Domains and certificates
  DOMAIN_INVALID: user(400, 'A domain is not a host name.'),
  DOMAIN_TAKEN: user(409, 'The domain is in use already.'),
  DOMAIN_NOT_FOUND: user(404, 'The app has no such domain.'),
  DOMAIN_ELSEWHERE: user(422, 'The DNS does not lead the domain to this machine.'),
  DOMAIN_VALIDATION_FAILED: user(
    422,
    'The certificate authority did not find what shows that the domain is ours.',
  ),
  DNS_HOOK_MISSING: user(422, 'A wildcard certificate needs a command that writes DNS records.'),
  CERTIFICATE_INVALID: user(422, 'A certificate or its key cannot be used.'),
  CERTIFICATE_REFUSED: user(422, 'The certificate authority refuses the certificate.'),
  CERTIFICATE_RATE_LIMITED: user(429, 'The certificate authority wants us to wait.'),
  CERTIFICATE_AUTHORITY_UNREACHABLE: system(
    503,
    'The certificate authority does not answer as one.',
  ),
  CHALLENGE_NOT_PRESENTED: system(500, 'The answer to a certificate authority was not put up.'),

  // Source
  UPLOAD_TOO_LARGE: user(413, 'The uploaded source is over the limit.'),
  UPLOAD_INCOMPLETE: user(400, 'The upload ended early or is not an archive.'),
  ARCHIVE_PATH_UNSAFE: user(400, 'An archive entry has an absolute path or leaves the tree.'),
  ARCHIVE_LINK_UNSAFE: user(400, 'A link in the archive points outside the tree.'),
  ARCHIVE_SPECIAL_FILE: user(400, 'The archive holds a device, socket or FIFO.'),
  ARCHIVE_SETUID: user(400, 'The archive holds a setuid or setgid file.'),
  ARCHIVE_TOO_MANY_FILES: user(413, 'The archive holds more files than the limit.'),

  // Detection and configuration files
  NO_APP_DETECTED: user(422, 'No Python web application was recognised in the source.'),
  PROCFILE_INVALID: user(422, 'The Procfile cannot be read.'),
  TANDEM_TOML_INVALID: user(422, 'tandem.toml (or [tool.tandem]) cannot be read.'),
  EPIO_INI_INVALID: user(422, 'epio.ini cannot be read, or names what is not there.'),
  APTFILE_INVALID: user(422, 'The Aptfile cannot be read, or asks for what is not offered.'),
  PACKAGE_JSON_INVALID: user(422, 'A package.json cannot be read.'),
  PYPROJECT_INVALID: user(422, 'pyproject.toml cannot be read.'),
  PYTHON_UNAVAILABLE: user(422, 'No interpreter of the version asked for is available.'),
  NODE_UNAVAILABLE: user(
    422,
    'No Node.js, or package manager, of the version asked for is published.',
  ),

  // Build
  REQUIREMENTS_INVALID: user(422, 'A requirements file cannot be parsed.'),
  REQUIREMENTS_UNSATISFIABLE: user(422, 'The requirements cannot be resolved.'),
  DEPENDENCY_BUILD_FAILED: user(422, 'A package could not be built from source.'),
  SYSTEM_PACKAGE_UNAVAILABLE: user(422, 'A system package, or its version, is not to be had.'),
  SYSTEM_PACKAGE_FAILED: user(422, 'A system package could not be installed.'),
  REGISTRY_UNREACHABLE: user(422, 'The package index did not answer.'),
  REPOSITORY_UNREACHABLE: user(422, 'A repository that a requirement names could not be fetched.'),
  NODE_INSTALL_FAILED: user(422, 'The packages of a package.json could not be installed.'),
  NODE_BUILD_FAILED: user(422, 'A script that builds a front end failed.'),
  MODULE_MISSING: user(422, 'A module that the project imports is not installed.'),
  SETTINGS_MODULE_WRONG: user(422, 'The settings module cannot be found or loaded.'),
  VARIABLE_MISSING: user(422, 'The project needs a variable that is not set.'),
  IMPORT_FAILED: user(422, 'The application raises an error when it is imported.'),
  VERSION_MISMATCH: user(422, 'Code was written for another version of Python or of a library.'),
  DATABASE_DRIVER_MISSING: user(422, 'No driver for the database is installed, or the wrong one.'),
  SYSTEM_LIBRARY_MISSING: user(422, 'A library or program of the system is not installed.'),
  NETWORK_AT_IMPORT: user(422, 'The application connects to something while it is imported.'),
  BUILD_COMMAND_FAILED: user(422, 'A command of `build` in tandem.toml failed.'),
  STATIC_FAILED: user(422, 'collectstatic failed.'),
  STATIC_MANIFEST_MISSING: user(422, 'A static file that is referred to was not collected.'),
  BUILD_TIMEOUT: user(422, 'The build took longer than its limit.'),
  BUILD_FAILED: user(422, 'A step of the build failed.'),
  DISK_FULL: user(507, 'A disk or a disk limit is full.'),

  // Deploy
  DEPLOY_IN_PROGRESS: user(409, 'Another deploy of this app is under way.'),
  DEPLOY_NOT_FOUND: user(404, 'The app has no such deploy.'),
  NO_ROOM: user(507, 'The node has too little free memory for the instances.'),
  MIGRATION_FAILED: user(422, 'A migration failed.'),
  MIGRATION_CONFLICT: user(422, 'Migrations contradict each other or what is applied.'),
  TABLE_MISSING: user(422, 'A table that the application queries does not exist.'),
  RELEASE_COMMAND_FAILED: user(422, 'A release command failed.'),
  ROLLBACK_PAST_MIGRATIONS: user(409, 'The release to return to lacks migrations already applied.'),
  HOST_REFUSED: user(422, 'Django refuses the host name.'),
  HTTPS_REDIRECT_LOOP: user(422, 'Every request is redirected to https, also one that came by it.'),
  INTERFACE_MIXED: user(422, 'A server of WSGI runs an application of ASGI, or the reverse.'),
  SERVICE_UNREACHABLE: user(422, 'A service that the application connects to does not answer.'),
  PROBE_STATUS: user(422, 'The probe was answered with a server error.'),
  READ_ONLY: user(422, 'The application writes where its release is read-only.'),
  PERMISSION_DENIED: user(422, 'The application may not open a file.'),
  FILE_MISSING: user(422, 'The application opens a file that does not exist.'),
  PROBE_TIMEOUT: user(422, 'The probe was not answered in time.'),
  PORT_NOT_BOUND: user(422, 'The web process never listened on its port.'),
  PORT_LOCALHOST_ONLY: user(422, 'The web process listens on localhost only.'),
  CRASHED_AT_START: user(422, 'A process ended before it was ready.'),
  CRASH_LOOP: user(422, 'A process keeps ending after its start.'),
  UNRESPONSIVE: user(422, 'A process stopped answering its probe.'),
  OUT_OF_MEMORY: user(422, 'A process was killed because it reached its memory limit.'),

  // Balancer alone
  ROUTES_FILE_INVALID: user(422, 'The routes file of a balancer cannot be read.'),
  PLATFORM_NOT_HERE: user(404, 'The command needs a platform on this machine, and there is none.'),
  LISTEN_FAILED: user(409, 'An address cannot be listened on: in use, not here, or not allowed.'),

  // Platform
  INTERNAL: system(500, 'A defect of Tandem itself.'),
  STORE_BEHIND: system(500, 'A watch fell behind the history the store keeps.'),
  STORE_LIMIT: system(500, 'A document or transaction is over the bounds of the store.'),
  STORE_DOCUMENT_INVALID: system(500, 'A document does not match its schema.'),
  STORE_SCHEMA_NEWER: system(500, 'The store was written by a newer version.'),
  STORE_UNREADABLE: system(500, 'The store file is damaged, or is not a store of Tandem.'),
  STORE_BUSY: system(503, 'Another process kept the store locked for too long.'),
  CLUSTER_KEY_INVALID: system(500, 'The cluster key file is damaged, or open to others.'),
  SECRET_UNREADABLE: system(500, 'A secret cannot be decrypted with the cluster key.'),
  SANDBOX_FAILED: system(500, 'The sandbox could not start a process.'),
  NETWORK_FAILED: system(500, 'An instance network could not be set up.'),
  VOLUME_FAILED: system(500, 'The volume of an app could not be made, checked or mounted.'),
  IMAGE_FAILED: system(500, 'A layer could not be packed or mounted.'),
  STACK_FAILED: system(500, 'A stack could not be built.'),
  SERVICE_FAILED: system(500, 'A service could not be started or used.'),
  BALANCER_SILENT: system(500, 'A balancer did not acknowledge an epoch in time.'),
  TRANSPORT_TIMEOUT: system(504, 'A message was not answered before its deadline.'),
  TRANSPORT_REFUSED: system(400, 'A message was refused by its receiver.'),
  MACHINE_UNFIT: system(500, 'The machine lacks something that Tandem needs.'),
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_CODES, value);
}
