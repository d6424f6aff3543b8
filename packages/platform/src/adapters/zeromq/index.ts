// What composition roots use of this adapter.
export { readAdmittedKeys, writeAdmittedKeys, type AdmittedKeys } from './admission.ts';
export {
  ensureCurveKeys,
  readCurveKeys,
  readCurvePublicKey,
  type CurveKeys,
} from './curve-keys.ts';
export { ipcEndpoints, tcpEndpoints, type Endpoints } from './endpoints.ts';
export { createTransportClient, type TransportClientOptions } from './transport-client.ts';
export { createTransportServer, type TransportServerOptions } from './transport-server.ts';
export type { MessageSchemas } from './wire.ts';
