/** The routes of the page, as page-api.ts lists them. They send their answers themselves (http-exchange.ts). */
import {
  Controller,
  Delete,
  Get,
  Post,
  Put,
  Req,
  Res,
  SetMetadata,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { CachePage } from './cache-page.js';
import { pathOf, sendAnswer, sendJson, type PageReply, type PageRequest } from './http-exchange.js';
import { describeApi } from './open-api.js';
import { doubtOf, optionsOf, queriesOf, queryPageOf, regionsOf, writesOf } from './page-answers.js';
import { readAssets } from './page-assets.js';
import { PageGuard } from './page.guard.js';
import { PageProblem } from './page-problem.js';
import { invalidate, switchMode } from './page-actions.js';

/** Of @nestjs/swagger: open-api.ts describes the routes, which have no types that it could read. */
const ApiExclude = (): ClassDecorator => SetMetadata('swagger/apiExcludeController', [true]);

/**
 * Of @nestjs/platform-fastify: a condition on the Host header that every request meets. A Fastify that ignores trailing
 * slashes takes a path with a slash for one without, and refuses a second route without another condition.
 */
const AnyHost = (): MethodDecorator => SetMetadata('__fastify_route_constraints__', { host: /^/ });

@ApiExclude()
@Controller({ path: 'api', version: VERSION_NEUTRAL })
@UseGuards(PageGuard)
export class PageApiController {
  constructor(private readonly page: CachePage) {}

  @Post('session')
  signIn(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.signIn(request, reply);
  }

  @Delete('session')
  signOut(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.signOut(request, reply);
  }

  @Get('overview')
  overview(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.read(request, reply, (source) => this.page.overviewOf(source));
  }

  @Get('queries')
  queries(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.read(request, reply, queriesOf);
  }

  @Get('queries/:name')
  query(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    const { name = '' } = request.params;
    return this.page.read(request, reply, (source) => queryPageOf(source, name));
  }

  @Get('writes')
  writes(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.read(request, reply, writesOf);
  }

  @Get('regions')
  regions(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.read(request, reply, regionsOf);
  }

  @Get('doubt')
  doubt(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.read(request, reply, doubtOf);
  }

  @Get('options')
  options(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.read(request, reply, optionsOf);
  }

  @Get('live')
  live(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.stream(request, reply);
  }

  @Post('invalidate')
  invalidate(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.act(request, reply, (source) => invalidate(source, request.body));
  }

  @Put('mode')
  mode(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.page.act(request, reply, (source) => switchMode(source, request.body));
  }

  @Get('openapi.json')
  openApi(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    const base = pathOf(request).replace(/\/openapi\.json$/, '');
    return this.page.open(request, reply, () => sendJson(reply, describeApi(base)));
  }
}

@ApiExclude()
@Controller({ version: VERSION_NEUTRAL })
@UseGuards(PageGuard)
export class PageController {
  readonly #assets = readAssets();

  constructor(private readonly page: CachePage) {}

  /** The links of the page are relative to its folder, also below the prefix of a proxy. */
  @Get()
  folder(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    const path = pathOf(request);
    // Express, and Fastify with `ignoreTrailingSlash`, take a path with a slash for one without.
    if (path.endsWith('/')) return this.#send(request, reply, 'index.html');
    const location = `${path.slice(path.lastIndexOf('/') + 1)}/`;
    return this.page.open(request, reply, () => {
      sendAnswer(reply, { status: 302, headers: { location } });
    });
  }

  /** Nest removes one slash. */
  @Get('//')
  @AnyHost()
  index(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.folder(request, reply);
  }

  @Get(':file')
  file(@Req() request: PageRequest, @Res() reply: PageReply): Promise<void> {
    return this.#send(request, reply, request.params['file'] ?? '');
  }

  #send(request: PageRequest, reply: PageReply, name: string): Promise<void> {
    return this.page.open(request, reply, () => {
      const asset = this.#assets.get(name);
      if (asset) return asset.send(request, reply);
      throw new PageProblem(404, 'not-found', `The page has no file ${name}.`);
    });
  }
}
