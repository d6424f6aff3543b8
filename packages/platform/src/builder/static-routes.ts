// Everything the static server answers for an image: what the user mapped, the folders that the
// application itself serves, files at the top, uploads. Pure.
import type { BuiltImage, Finding, StaticRoute } from '../domain/release.ts';
import { placeOnVolume, type VolumePlan } from '../domain/volume.ts';
import type { Detection } from './detect/detect.ts';
import { finding } from './detect/evidence.ts';
import { isMappedUrl, isServable, shownMapping, wellKnownFiles } from './detect/static-mappings.ts';
import type { PrepareReport } from './steps/prepare-report.ts';

export interface ServedFiles {
  readonly image: Pick<BuiltImage, 'staticRoutes' | 'media' | 'volume'>;
  readonly findings: readonly Finding[];
}

export function servedFiles(
  detection: Pick<Detection, 'staticRoutes' | 'answeredUrls' | 'volume'>,
  report: Pick<PrepareReport, 'media' | 'static' | 'staticFolders'>,
  volume: VolumePlan | undefined,
): ServedFiles {
  const own = detection.staticRoutes;
  const folders = (report.staticFolders ?? []).flatMap((one) => folderRoute(one) ?? []);
  const found = folders.filter(({ url }) => !own.some((route) => route.url === url));
  const more = wellKnownFiles(detection.volume.sourceFiles, [...own, ...found], (url) =>
    detection.answeredUrls.includes(url),
  );
  const collected = collectedFiles(report).filter(
    ({ url }) => !detection.answeredUrls.includes(url) && !own.some((route) => route.url === url),
  );
  const routes = [...own, ...found, ...more.map(({ route }) => route), ...collected];
  const media = mediaOf(report, volume);
  const readable = volume && readableBy(routes, volume);
  return {
    image: {
      ...(routes.length === 0 ? {} : { staticRoutes: routes }),
      ...(media.files === undefined ? {} : { media: media.files }),
      ...(readable === undefined ? {} : { volume: readable }),
    },
    findings: [
      ...found.map((route) =>
        finding('static', shownMapping(route), 'the app serves this folder; nginx does it now'),
      ),
      ...more.map((one) => one.finding),
      ...collected.map((route) =>
        finding('static', `${route.url} by nginx`, 'lies at the top of the collected files'),
      ),
      ...media.findings,
    ],
  };
}

function collectedFiles({ static: files }: Pick<PrepareReport, 'static'>): StaticRoute[] {
  if (files === undefined || !isServable(files.root)) return [];
  return (files.topFiles ?? []).map((file) => ({ url: `/${file}`, directory: files.root, file }));
}

function folderRoute({ url, directory }: { url: string; directory: string }): StaticRoute[] {
  const path = `/${url}/`.replace(/\/+/g, '/');
  const isInApp = directory.startsWith('/app/') && isServable(directory);
  return isInApp && path !== '/' && isMappedUrl(path) ? [{ url: path, directory }] : [];
}

/** Also what was uploaded into a folder that is served. */
function readableBy(routes: readonly StaticRoute[], volume: VolumePlan): VolumePlan {
  const isServed = (path: string): boolean =>
    routes.some(
      ({ directory, file }) =>
        file === undefined &&
        (path.startsWith(`${directory}/`) ||
          path === directory ||
          directory.startsWith(`${path}/`)),
    );
  const paths = volume.paths.map((one) =>
    one.kind !== 'file' && isServed(one.path) ? { ...one, isPublic: true } : one,
  );
  return { ...volume, paths };
}

function mediaOf(
  { media }: Pick<PrepareReport, 'media'>,
  volume: VolumePlan | undefined,
): { readonly files?: BuiltImage['media']; readonly findings: readonly Finding[] } {
  const url = media?.url ?? '';
  if (!media || url === '' || /^(https?:)?\/\//.test(url)) return { findings: [] };
  const urlPrefix = `/${url}/`.replace(/\/+/g, '/');
  if (urlPrefix === '/' || !isMappedUrl(urlPrefix)) return { findings: [] };
  if (placeOnVolume(volume, media.root) === undefined) return { findings: [] };
  if (media.isServedByApp) {
    const why = 'a view of the project answers there; it may look at who asks';
    return { findings: [finding('media', `${urlPrefix} by the app`, why)] };
  }
  const why = 'MEDIA_URL; what could run a script is only downloaded';
  return {
    files: { urlPrefix, directory: media.root },
    findings: [finding('media', `${urlPrefix} by nginx`, why)],
  };
}
