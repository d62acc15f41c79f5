export { stopShared as default } from './system-setup.mjs';
