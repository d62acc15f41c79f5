import { h, render } from 'preact';
import { App } from './app.js';
import { Connection } from './connection.js';

const root = document.getElementById('app');
if (root) render(h(App, { connection: new Connection() }), root);
