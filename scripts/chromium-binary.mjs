/**
 * Finds a Chromium for the tests of the page, and installs one where there is none.
 *
 * In order: the program CHROMIUM names; Chromium or Chrome on the path; the Debian package, as root.
 */
import { installDebianPackage, isProgram, onPath } from './debian-package.mjs';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function installOnDebian() {
  installDebianPackage('chromium', 'No Chromium found');
  return onPath(PROGRAMS);
}

/** The path of Chromium. Throws with one line that says what to install. */
export function chromiumBinary() {
  const named = process.env.CHROMIUM;
  if (named && !isProgram(named)) {
    throw new Error(`CHROMIUM names ${named}, which is not a program: correct or unset it.`);
  }
  const found = named || onPath(PROGRAMS) || installOnDebian();
  if (!found) {
    throw new Error(
      'The tests need Chromium: install chromium or Google Chrome, or set CHROMIUM to its path.',
    );
  }
  return found;
}
