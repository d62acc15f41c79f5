/** The API documentation of the service: OpenAPI under /docs/json, and a page to try it under /docs. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE, problemDocument } from './problem-document.js';
import { serveContent } from './static-content.js';

const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Tidemark</title>
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

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Adds the routes. The first request creates the document. */
export function serveDocs(app: NestFastifyApplication): void {
  const contents: readonly [name: string, type: string, load: () => string | Promise<Buffer>][] = [
    ['', 'text/html', () => PAGE],
    ['/json', 'application/json', () => JSON.stringify(describeService(app))],
    ['/start.js', 'text/javascript', () => START],
    ['/swagger-ui.css', 'text/css', () => readAsset('swagger-ui.css')],
    ['/swagger-ui-bundle.js', 'text/javascript', () => readAsset('swagger-ui-bundle.js')],
  ];
  const server = app.getHttpAdapter().getInstance();
  for (const [name, type, load] of contents) {
    serveContent(server, `/docs${name}`, `${type}; charset=utf-8`, load);
  }
}

/** The files of the page come with the package that generates the document. */
function readAsset(name: string): Promise<Buffer> {
  const swagger = createRequire(import.meta.url).resolve('@nestjs/swagger');
  const description = createRequire(swagger).resolve('swagger-ui-dist/package.json');
  return readFile(join(dirname(description), name));
}

function describeService(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Tidemark')
    .setDescription(
      'Users and their regions, read from a cache that is never stale. The page at [/tidemark](/tidemark/) shows the ' +
        'cache; its own API is described by [OpenAPI](/tidemark/api/openapi.json).',
    )
    .setVersion('0.1.0')
    .setOpenAPIVersion('3.1.0')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  const Problem = z.toJSONSchema(problemDocument) as Schemas[string];
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem },
  };
  describeErrors(document);
  return document;
}

/** Every error of every route is a problem document. */
function describeErrors(document: OpenAPIObject): void {
  const content = {
    [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } },
  };
  for (const path of Object.values(document.paths)) {
    for (const method of ['get', 'post', 'patch', 'delete'] as const) {
      const responses = path[method]?.responses;
      if (!responses) continue;
      for (const [status, response] of Object.entries(responses)) {
        if (/^[45]/.test(status) && response && !('$ref' in response)) response.content ??= content;
      }
      responses['default'] ??= { description: 'Any other error', content };
    }
  }
}
