// How an image tells our start-up hook that the app may import `bundle_config`, and where its files
// are. See python/tandem_runtime/epio/bundle_config.py.
import { DATA_DIRECTORY } from '../detect/epio/data-directory.ts';
import type { Detection } from '../detect/detect.ts';

export function bundleConfigEnv({ bundleConfig }: Detection): Record<string, string> {
  if (!bundleConfig) return {};
  return { TANDEM_BUNDLE_CONFIG: '1', TANDEM_DATA_DIRECTORY: DATA_DIRECTORY };
}
