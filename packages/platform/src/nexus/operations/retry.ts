// Which deploy a retry takes up, and with what.
import type { DeployRequest } from '../scheduler/deploys.ts';
import type { Repository } from '../documents/repository.ts';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';

/** The newest deploy of a source, when it failed with something left to go on from. */
export async function lastFailed(
  repository: Repository,
  app: AppDocument,
): Promise<DeployDocument | undefined> {
  const last = (await repository.deploys(app.id))
    .filter((deploy) => deploy.kind === 'deploy')
    .toSorted((a, b) => b.number - a.number)[0];
  const isRetryable = last !== undefined && last.state !== 'live' && (last.image ?? last.archive);
  return isRetryable ? last : undefined;
}

export function retryOf({ number, archive, image }: DeployDocument): DeployRequest {
  return {
    kind: 'deploy',
    note: `retry of d${number}`,
    makesRelease: true,
    ...(archive === undefined ? {} : { archive }),
    ...(image === undefined ? {} : { image }),
  };
}
