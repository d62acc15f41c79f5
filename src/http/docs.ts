/** The service's own description: OpenAPI under /docs/json, and a page to try it under /docs. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE, problemDocument } from './problem-document.js';
import { serveContent } from './static-content.js';

const TITLE = 'Tidemark';
const VERSION = '0.1.0';

const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${TITLE}</title>
  <link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
  <div id="ui"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/docs/json', dom_id: '#ui', deepLinking: true, displayRequestDuration: true });
`;

const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Adds the routes. The document is made at the first request for it. */
export function serveDocs(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  const script = 'text/javascript; charset=utf-8';
  serveContent(server, '/docs', 'text/html; charset=utf-8', () => PAGE);
  serveContent(server, '/docs/json', 'application/json; charset=utf-8', () =>
    JSON.stringify(describeService(app)),
  );
  serveContent(server, '/docs/start.js', script, () => START);
  for (const [name, type] of Object.entries(ASSETS)) {
    serveContent(server, `/docs/${name}`, type, () => readFile(join(assetFolder(), name)));
  }
}

/** The files of the page come with the package that writes the document. */
function assetFolder(): string {
  const swagger = createRequire(import.meta.url).resolve('@nestjs/swagger');
  return dirname(createRequire(swagger).resolve('swagger-ui-dist/package.json'));
}

function describeService(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle(TITLE)
    .setDescription('Users and their regions, read from a cache that is never stale.')
    .setVersion(VERSION)
    .setOpenAPIVersion('3.1.0')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  document.components = {
    ...document.components,
    schemas: {
      ...document.components?.schemas,
      Problem: { ...z.toJSONSchema(problemDocument) } as Schemas[string],
    },
  };
  describeErrors(document);
  return document;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Every error of every route is a problem document. */
function describeErrors(document: OpenAPIObject): void {
  const content = {
    [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } },
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of METHODS.map((method) => path[method])) {
      if (!operation) continue;
      for (const [status, response] of Object.entries(operation.responses)) {
        if (/^[45]/.test(status) && response && !('$ref' in response)) response.content ??= content;
      }
      operation.responses['default'] ??= { description: 'Any other error', content };
    }
  }
}
