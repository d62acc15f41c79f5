/** `--import`ed by the processes of the project `typeorm-0.3`: all packages that ask for `typeorm` get 0.3. */
import Module, { register } from 'node:module';

const OTHER = /^typeorm(?=$|\/)/;
const { _resolveFilename: resolveFilename } = Module;
// oxlint-disable-next-line no-underscore-dangle -- `require` has no other hook before Node 22.15
Module._resolveFilename = (request, ...rest) =>
  resolveFilename(request.replace(OTHER, 'typeorm-0.3'), ...rest);

const hooks = `
  export const resolve = (specifier, context, next) =>
    next(specifier.replace(${OTHER}, 'typeorm-0.3'), context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
