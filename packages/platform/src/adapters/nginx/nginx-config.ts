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
}

/** Beyond the balancer's own, so that it is never the server that closes first. */
const KEEP_ALIVE_S = 75;
const HASHED_NAME = String.raw`\.[0-9a-f]{12}\.[^/]+$`;
const COMPRESSED_TYPES = [
  'text/css',
  'text/plain',
  'text/xml',
  'application/javascript',
  'application/json',
  'application/xml',
  'image/svg+xml',
].join(' ');

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
  map $uri $caching {
    default "public, max-age=0, must-revalidate";
    "~${HASHED_NAME}" "public, max-age=31536000, immutable";
  }`;

const serverBlock = ({ socket, layers, kept }: StaticServerPlaces): string => `  server {
    listen unix:${socket};
    server_name _;
    error_page 403 404 = @missing;

    add_header Cache-Control $caching;
    add_header ETag $tag;
    add_header Last-Modified "";
    add_header X-Content-Type-Options nosniff always;

    if ($request_method !~ ^(GET|HEAD)$) { return 405; }

    location / {
      root ${layers}/$layer$directory;
      disable_symlinks on from=${layers}/$layer;
      if ($unchanged) { return 304; }
      try_files $uri @kept;
    }
    location @kept {
      root ${kept}/$app;
      disable_symlinks on from=${kept}/$app;
      try_files $uri =404;
    }
    location @missing {
      internal;
      types { }
      default_type text/html;
      add_header Cache-Control no-store always;
      return 404 '${NOT_FOUND_PAGE}';
    }
  }`;

/** Paths of ours go into the file as they are. */
function assertPlain(path: string): void {
  if (!/^(?:\/[A-Za-z0-9._-]+)+$/.test(path)) throw new Error(`not a path for nginx: ${path}`);
}
