// All that travels between nexus and balancers.
import { CERTIFICATE_MESSAGES } from './certificate-messages.ts';
import { ROUTE_MESSAGES } from './route-messages.ts';

export const BALANCER_MESSAGES = { ...ROUTE_MESSAGES, ...CERTIFICATE_MESSAGES } as const;
