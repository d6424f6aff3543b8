// Config values and service credentials of an app, sealed and opened under their own paths. A value
// sealed for one app or key cannot be opened as another's.
import { randomBytes } from 'node:crypto';
import type { ServiceCredentials } from '../ports/service-kind.ts';
import type { AttachmentDocument, ConfigDocument } from './documents/schemas.ts';
import type { SealedSecret, SecretBox } from './secrets/secret-box.ts';

const SECRET_KEY_BYTES = 48;

const configPath = (appId: number, key: string): string => `apps/${appId}/config/${key}`;
const secretKeyPath = (appId: number): string => `apps/${appId}/secret-key`;
const servicePath = (appId: number, kind: string, field: string): string =>
  `apps/${appId}/services/${kind}/${field}`;

export function sealConfigValue(
  box: SecretBox,
  appId: number,
  key: string,
  value: string,
): SealedSecret {
  return box.seal(configPath(appId, key), value);
}

export function openConfig(
  box: SecretBox,
  appId: number,
  entries: ConfigDocument['entries'],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).map(([key, { value }]) => [
      key,
      box.open(configPath(appId, key), value),
    ]),
  );
}

export function makeSecretKey(box: SecretBox, appId: number): SealedSecret {
  return box.seal(secretKeyPath(appId), randomBytes(SECRET_KEY_BYTES).toString('base64url'));
}

export function openSecretKey(box: SecretBox, appId: number, sealed: SealedSecret): string {
  return box.open(secretKeyPath(appId), sealed);
}

export function sealCredentials(
  box: SecretBox,
  appId: number,
  kind: string,
  credentials: ServiceCredentials,
): AttachmentDocument['credentials'] {
  return Object.fromEntries(
    Object.entries(credentials).map(([field, value]) => [
      field,
      box.seal(servicePath(appId, kind, field), value),
    ]),
  );
}

export function openCredentials(
  box: SecretBox,
  appId: number,
  kind: string,
  sealed: AttachmentDocument['credentials'],
): ServiceCredentials {
  return Object.fromEntries(
    Object.entries(sealed).map(([field, value]) => [
      field,
      box.open(servicePath(appId, kind, field), value),
    ]),
  );
}
