// A shared library or program of the system that a Python package looks for at run time.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { guiltyPackage } from './import-error.ts';
import { LIBRARIES, PROGRAMS, aptFor, aptHint } from './tables/system-libraries.ts';
import { lastTraceback, projectWhere, type Traceback } from './traceback.ts';

/** The loader's words, and those of packages that look for a library themselves. */
const LIBRARY = [
  /(lib[\w.+-]+\.so[\w.]*): cannot open shared object file/,
  /cannot load library '([^']+)'/,
  /failed to find (libmagic)/,
  /Could not find the (GDAL|GEOS) library/,
  /Unable to find (zbar) shared library/,
  /no library called "([^"]+)" was found/,
  /(MagickWand) shared library not found/,
  /Unable to load the (SpatiaLite) library extension|(mod_spatialite)/i,
  /(sndfile|PortAudio) library not found/,
  /The '?(enchant)'? C library was not found/,
];
const PROGRAM = [
  /\[Errno 2\] No such file or directory: '([\w.-]+)'$/,
  /No (wkhtmltopdf) executable found/,
  /(tesseract) is not installed or it's not in your PATH/,
  /Can't find (msg\w+)\. Make sure you have GNU gettext/,
  /Is (poppler) installed and in PATH/,
  /Could not find (xmlsec1) binary|Cannot find \['(xmlsec1)'\]/,
  /"(dot)" not found in path|failed to execute (?:PosixPath\()?'(dot)'/,
  /Bad (git) executable/,
  /No such file or directory: '(ffmpeg|ffprobe)'/,
];

export function systemLibrary({ logTail }: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(logTail);
  if (traceback === undefined) return undefined;
  const library = firstOf(LIBRARY, traceback.message);
  if (library !== undefined)
    return missing('library', library, aptFor(LIBRARIES, library), traceback);
  const program = programIn(traceback);
  return program && missing('program', program.name, program.apt, traceback);
}

function programIn({ message }: Traceback): { name: string; apt: string } | undefined {
  const name = firstOf(PROGRAM, message);
  if (name === undefined) return undefined;
  const apt = name === 'poppler' ? 'poppler-utils' : PROGRAMS[name.replaceAll('-', '_')];
  // A file of the project may be missing too, and its name is no program.
  return apt === undefined ? undefined : { name, apt };
}

function missing(kind: string, name: string, apt: string | undefined, traceback: Traceback): Cause {
  const by = guiltyPackage(traceback);
  return {
    code: 'SYSTEM_LIBRARY_MISSING',
    message: `The system ${kind} "${name}" is not installed${by ? `; ${by} needs it` : ''}.`,
    where: projectWhere(traceback),
    hint: apt
      ? aptHint(apt)
      : `find the Debian package that has it (apt-file search ${name}) and ${aptHint('PACKAGE')}`,
  };
}

function firstOf(patterns: readonly RegExp[], text: string): string | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.slice(1).find(Boolean);
    if (found !== undefined) return found;
  }
  return undefined;
}
