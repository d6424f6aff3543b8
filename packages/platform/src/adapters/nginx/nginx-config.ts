// Configuration of a node's static server. Written once: which tree a request reads follows from
// headers that only the balancer can send (its uid alone reaches the socket), so a deploy changes
// nothing here.

export interface StaticServerPlaces {
  /** Unix socket it listens on. */
  readonly socket: string;
  /** Writable by its uid: pid file and empty temporary directories. */
  readonly work: string;
  /** Where layers are mounted, each under its SHA-256. */
  readonly layers: string;
  /** `<app id>/`: files with hashed names of earlier releases. */
  readonly kept: string;
  /** `<app id>/`: mounted volumes of apps. */
  readonly volumes: string;
}

/** Beyond the balancer's own, so that it is never the server that closes first. */
const KEEP_ALIVE_S = 75;
/** As Django, webpack and Vite name files; a date or a word is no hash. */
const HASHED_NAMES = [
  String.raw`[.-](?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,40}(\.[a-z]+)?\.[a-z0-9]+$`,
  String.raw`-(?=[^./]*[A-Z])(?=[^./]*[a-z])(?=[^./]*[0-9])[A-Za-z0-9_-]{8}\.[a-z0-9]+$`,
];
const COMPRESSED_TYPES = [
  'text/css',
  'text/plain',
  'text/xml',
  'application/javascript',
  'application/json',
  'application/xml',
  'image/svg+xml',
].join(' ');

/** Name, type, endings. */
const BROTLI_TYPES = [
  ['css', 'text/css', 'css'],
  ['javascript', 'application/javascript', 'js|mjs'],
  ['json', 'application/json', 'json|map'],
  ['html', 'text/html', 'html|htm'],
  ['svg', 'image/svg+xml', 'svg'],
  ['xml', 'text/xml', 'xml'],
  ['text', 'text/plain', 'txt'],
  ['wasm', 'application/wasm', 'wasm'],
  ['truetype', 'font/ttf', 'ttf|otf'],
] as const;

const NOT_FOUND_PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>404 Not found</title>' +
  '<body style="font:16px/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh">' +
  '<main><small>404</small><h1 style="font-size:1.5rem;margin:0">No such file</h1></main></body></html>';

export function nginxConfig(places: StaticServerPlaces): string {
  for (const path of Object.values(places) as string[]) assertPlain(path);
  return `# Written by Tandem; changes are lost.
daemon off;
worker_processes 1;
pid ${places.work}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }

http {
${httpSettings(places)}

${MAPS}

${serverBlock(places)}
}
`;
}

const httpSettings = ({ work }: StaticServerPlaces): string => `  access_log off;
  server_tokens off;
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  charset utf-8;
  charset_types text/css text/plain text/xml application/javascript image/svg+xml;
  sendfile on;
  keepalive_timeout ${KEEP_ALIVE_S}s;
  keepalive_requests 1000000;
  client_body_temp_path ${work}/body;
  proxy_temp_path ${work}/proxy;
  fastcgi_temp_path ${work}/fastcgi;
  uwsgi_temp_path ${work}/uwsgi;
  scgi_temp_path ${work}/scgi;

  gzip on;
  gzip_static on;
  gzip_vary on;
  gzip_proxied any;
  gzip_min_length 1024;
  gzip_types ${COMPRESSED_TYPES};`;

const MAPS = String.raw`  # What does not look right becomes a name that does not exist.
  map $http_x_tandem_layer $layer {
    default none;
    "~^[0-9a-f]{64}$" $http_x_tandem_layer;
  }
  map $http_x_tandem_directory $directory {
    default /none;
    "~^(/[A-Za-z0-9_][A-Za-z0-9._-]*){1,16}$" $http_x_tandem_directory;
  }
  map $http_x_tandem_app $app {
    default none;
    "~^[0-9]{1,10}$" $http_x_tandem_app;
  }

  # All files of a layer have the same time, so nginx's own tag (time and size) would call a changed
  # file unchanged. A layer never changes: its name is the tag.
  etag off;
  if_modified_since off;
  map $layer $tag {
    default "";
    "~^(?<short>[0-9a-f]{16})" 'W/"$short"';
  }
  map "$tag $http_if_none_match" $unchanged {
    default 0;
    '~^W/("[0-9a-f]{16}") (.*[ ,/])?\1' 1;
  }
  map $uri $hashed {
    default 0;
${HASHED_NAMES.map((name) => `    "~${name}" 1;`).join('\n')}
  }
  map "$hashed $http_x_tandem_expires" $caching {
    default "public, max-age=0, must-revalidate";
    "~^1 " "public, max-age=31536000, immutable";
    "~^0 (?<seconds>[0-9]{1,9})$" "public, max-age=$seconds";
  }
  map $http_x_tandem_site $site {
    default "";
    "1" 1;
    "single-page" 2;
  }
  map $uri $file_name {
    default "";
    "~/(?<last>[^/]*\.[^/]*)$" $last;
  }
  map $http_x_tandem_volume $volume {
    default "";
    "~^[A-Za-z0-9_][A-Za-z0-9._@+-]*(/[A-Za-z0-9_][A-Za-z0-9._@-]*){0,15}$" $http_x_tandem_volume;
  }
  # Names that begin with a dot, and how the app is configured, are nobody's business.
  map $uri $private {
    default 0;
    "~/\.well-known/" 0;
    "~/\." 1;
    "~^/(tandem\.toml|Procfile)$" 1;
  }

  # Brotli, made by the project: a place for each type, because the name ends with .br.
  map $http_accept_encoding $accepts_brotli {
    default 0;
    "~(^|[ ,])br *; *q=0(\.0*)?( *(,|$))" 0;
    "~(^|[ ,])br *(,|;|$)" 1;
  }
  map "$accepts_brotli$uri" $brotli {
    default "";
${BROTLI_TYPES.map(([name, , ends]) => `    "~^1.*\.(${ends})$" @brotli-${name};`).join('\n')}
  }

  # What people uploaded. Types that cannot run scripts are shown; the rest is downloaded, and where
  # it is shown all the same it has no rights and no origin.
  map $sent_http_content_type $passive {
    default 0;
    "~^(image/(png|jpeg|gif|webp|avif|bmp|x-ms-bmp|x-icon|tiff)|audio/|video/|font/|application/(pdf|zip)|text/(plain|css|csv))" 1;
  }
  map $passive $upload_policy {
    default "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox";
    1 "";
  }
  map $passive $upload_disposition {
    default attachment;
    1 "";
  }`;

const NOSNIFF = 'add_header X-Content-Type-Options nosniff always;';

/** Statuses of our own say where to go on; none of them leaves the server. */
const serverBlock = (places: StaticServerPlaces): string => `  server {
    listen unix:${places.socket};
    server_name _;
    recursive_error_pages on;
    absolute_redirect off;
    error_page 403 404 = @missing;
    error_page 561 = @volume;
    error_page 562 = @site;
    error_page 563 = $brotli;
    error_page 564 = @single-page;

    add_header Cache-Control $caching;
    add_header ETag $tag;
    add_header Last-Modified "";
    ${NOSNIFF}

    if ($request_method !~ ^(GET|HEAD)$) { return 405; }
    if ($volume) { return 561; }
    if ($private) { return 404; }
    if ($unchanged) { return 304; }
    # Here, because a location with such a condition forgets its try_files.
    set $packed $brotli;
    if (!-f ${places.layers}/$layer$directory$uri.br) { set $packed ""; }
    if ($packed) { return 563; }
    set $folder "";
    if (-d ${places.layers}/$layer$directory$uri) { set $folder $uri; }
    if ($site = 1) { return 562; }
    if ($site = 2) { return 564; }

    location / {
      ${inLayer(places)}
      try_files $uri @kept;
    }
    location @kept {
      root ${places.kept}/$app;
      disable_symlinks on from=${places.kept}/$app;
      try_files $uri =404;
    }
${siteLocations(places)}
${BROTLI_TYPES.map((type) => brotliLocation(places, type)).join('\n')}
${volumeLocation(places)}
    location @missing {
      internal;
      types { }
      default_type text/html;
      add_header Cache-Control no-store always;
      return 404 '${NOT_FOUND_PAGE}';
    }
  }`;

const inLayer = ({ layers }: StaticServerPlaces): string => `root ${layers}/$layer$directory;
      disable_symlinks on from=${layers}/$layer;`;

/** Without "=" before the place a page for what is missing keeps the status 404. */
const siteLocations = (places: StaticServerPlaces): string => String.raw`    location @site {
      ${inLayer(places)}
      error_page 404 @site-missing;
      error_page 403 = @missing;
      if ($folder ~ "[^/]$") { return 301 $uri/$is_args$args; }
      try_files $uri $uri/index.html $uri.html =404;
    }
    location @single-page {
      ${inLayer(places)}
      error_page 404 @site-missing;
      error_page 403 = @missing;
      if ($folder ~ "[^/]$") { return 301 $uri/$is_args$args; }
      try_files $uri $uri/index.html $uri.html @its-page;
    }
    location @its-page {
      ${inLayer(places)}
      error_page 404 @site-missing;
      if ($file_name) { return 404; }
      try_files /index.html =404;
    }
    location @site-missing {
      ${inLayer(places)}
      try_files /404.html =404;
    }`;

const brotliLocation = (
  places: StaticServerPlaces,
  [name, type]: (typeof BROTLI_TYPES)[number],
): string => `    location @brotli-${name} {
      ${inLayer(places)}
      types { }
      default_type ${type};
      gzip off;
      gzip_static off;
      add_header Content-Encoding br;
      add_header Vary Accept-Encoding;
      add_header Cache-Control $caching;
      add_header ETag $tag;
      add_header Last-Modified "";
      ${NOSNIFF}
      try_files $uri.br =404;
    }`;

/** The top of a volume is root's; below it nothing is what it seems. */
const volumeLocation = ({ volumes }: StaticServerPlaces): string => `    location @volume {
      root ${volumes}/$app/$volume;
      disable_symlinks on from=${volumes}/$app;
      etag on;
      if_modified_since exact;
      gzip_static off;
      add_header Cache-Control "public, max-age=0, must-revalidate";
      add_header Content-Security-Policy $upload_policy;
      add_header Content-Disposition $upload_disposition;
      ${NOSNIFF}
      try_files $uri =404;
    }`;

/** Paths of ours go into the file as they are. */
function assertPlain(path: string): void {
  if (!/^(?:\/[A-Za-z0-9._-]+)+$/.test(path)) throw new Error(`not a path for nginx: ${path}`);
}
