// The app redirects every request to https, although it came by https: it does not believe the
// header that says so. Seen by the probe.
import type { Cause, DiagnosisInput } from './evidence.ts';

export function redirectLoop({ symptom, settingsModule }: DiagnosisInput): Cause | undefined {
  if (symptom?.code !== 'HTTPS_REDIRECT_LOOP') return undefined;
  if (settingsModule === undefined) {
    const hint =
      'trust the header X-Forwarded-Proto: app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1) of werkzeug.middleware.proxy_fix';
    return { ...symptom, hint };
  }
  return {
    ...symptom,
    where: `SECURE_SSL_REDIRECT in ${settingsModule}`,
    hint: 'add to the settings: SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\nor leave it to the platform: remove overlay = false from tandem.toml',
  };
}
