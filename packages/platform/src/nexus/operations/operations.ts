// The control API's far side: what exists and what is allowed. One file per noun; this one puts
// them together.
import type { ControlBackend } from '../control/backend.ts';
import { appOperations } from './apps.ts';
import { configOperations } from './config.ts';
import type { OperationsContext } from './context.ts';
import { deployOperations } from './deploys.ts';
import { domainOperations } from './domains.ts';
import { explainOperations } from './explanation.ts';
import { platformOperations } from './platform.ts';
import { policyOperations } from './policy.ts';
import { processOperations } from './processes.ts';
import { releaseOperations } from './releases.ts';

export function createOperations(context: OperationsContext): ControlBackend {
  return {
    ...appOperations(context),
    ...deployOperations(context),
    ...releaseOperations(context),
    ...configOperations(context),
    ...domainOperations(context),
    ...policyOperations(context),
    ...processOperations(context),
    ...explainOperations(context),
    ...platformOperations(context),
  };
}
