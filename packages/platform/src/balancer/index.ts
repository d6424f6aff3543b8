// What composition roots use of the balancer.
export { Balancer, type BalancerOptions } from './balancer.ts';
export { TrustedPeers } from './client-origin.ts';
export { RequestLog, type RequestLogSink } from './request-log.ts';
export { parseRoutesFile } from './routes-file.ts';
export type { RouteGroup } from './routes-file-groups.ts';
export { RoutesFileTable } from './routes-file-table.ts';
export type { ProxyProtocol } from './server.ts';
export { StandaloneBalancer } from './standalone-balancer.ts';
export { CertificateShelf, type ServedCertificate } from './tls/certificate-shelf.ts';
export { hashPassword } from './policy/password.ts';
