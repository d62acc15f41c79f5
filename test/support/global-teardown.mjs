export { stopShared as default } from './global-setup.mjs';
