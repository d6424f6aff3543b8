// A deploy document as the control API shows it.
import type { DeployStatus } from '@tandem/protocol';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';

export function deployStatus(app: Pick<AppDocument, 'name'>, deploy: DeployDocument): DeployStatus {
  return {
    app: app.name,
    deploy: deploy.number,
    kind: deploy.kind,
    state: deploy.state,
    phase: deploy.phase,
    phasesMs: deploy.phasesMs,
    startedAtMs: deploy.startedAtMs,
    ...(deploy.release === undefined ? {} : { release: deploy.release }),
    ...(deploy.finishedAtMs === undefined ? {} : { finishedAtMs: deploy.finishedAtMs }),
    ...(deploy.error === undefined ? {} : { error: deploy.error }),
  };
}
