/** A controller that answers with the cache, at a place of it, or without. */
import {
  Catch,
  Controller,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Param,
  ParseIntPipe,
  Query,
  Sse,
  StandardSchemaValidationPipe,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
  Version,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { from, map, of, tap, type Observable } from 'rxjs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { defineQuery, LeavesBody } from '../../src/index.js';
import type { Reply } from './adopter.js';
import { Profile } from './profiles.js';

/** The steps that have run, in order. */
export const steps: string[] = [];

class Guard implements CanActivate {
  canActivate(): boolean {
    steps.push('guard');
    return true;
  }
}

class Pipe implements PipeTransform {
  transform(value: unknown): unknown {
    steps.push('pipe');
    return value;
  }
}

@LeavesBody()
export class Around implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    steps.push('before');
    return next.handle().pipe(tap(() => steps.push('after')));
  }
}

@Catch(NotFoundException)
class AbsenceFilter implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<Reply>().status(410).send({ gone: true });
  }
}

const page = z.object({ id: z.coerce.number().int() });

export const profile = defineQuery({
  name: 'pipeline.profile',
  shape: 'one',
  build: (source: DataSource, { id }: { id: number }) =>
    source.getRepository(Profile).createQueryBuilder('profile').where({ id }),
  absent: ({ id }) => `No profile ${id}.`,
});

const NONE: MethodDecorator & ClassDecorator = () => undefined;

export interface Place {
  readonly onController?: ClassDecorator;
  readonly onHandler?: MethodDecorator;
}

export function controllerOf(path: string, place: Place | undefined, options: object = {}): Type {
  const { onController = NONE, onHandler = NONE } = place ?? {};

  abstract class Base {
    constructor(private readonly source: DataSource) {}

    protected read(id: number): unknown {
      if (place) return profile.bind({ id });
      return this.source
        .getRepository(Profile)
        .findOneBy({ id })
        .then((found) => {
          if (!found) throw new NotFoundException(`No profile ${id}.`);
          return found;
        });
    }

    @Get('inherited/:id')
    @onHandler
    inherited(@Param('id', ParseIntPipe) id: number): unknown {
      return this.read(id);
    }
  }

  @Controller({ path, ...options })
  @onController
  class Profiles extends Base {
    @Get('read/:id')
    @HttpCode(203)
    @Header('x-shelf', 'top')
    @onHandler
    one(@Param('id', ParseIntPipe) id: number): unknown {
      return this.read(id);
    }

    @Get('emitted/:id')
    @onHandler
    emitted(@Param('id', ParseIntPipe) id: number): unknown {
      return of(id).pipe(map((asked) => this.read(asked)));
    }

    @Get('filtered/:id')
    @UseFilters(AbsenceFilter)
    @onHandler
    filtered(@Param('id', ParseIntPipe) id: number): unknown {
      return this.read(id);
    }

    @Get('validated')
    @onHandler
    validated(
      @Query({ schema: page, pipes: [new StandardSchemaValidationPipe()] })
      { id }: z.output<typeof page>,
    ): unknown {
      return this.read(id);
    }

    @Get('versioned/:id')
    @Version('2')
    @onHandler
    versioned(@Param('id', ParseIntPipe) id: number): unknown {
      return this.read(id);
    }

    @Get('file')
    @onHandler
    file(): StreamableFile {
      return new StreamableFile(Buffer.from('a file'), { type: 'text/csv' });
    }

    @Sse('events')
    events(): Observable<unknown> {
      return from([{ data: 1 }, { data: 2 }]);
    }

    @Get('stepped/:id')
    @UseGuards(Guard)
    @onHandler
    @UseInterceptors(Around)
    stepped(@Param('id', Pipe, ParseIntPipe) id: number): unknown {
      steps.push('handler');
      return this.read(id);
    }
  }
  Reflect.defineMetadata('design:paramtypes', [DataSource], Profiles);
  return Profiles;
}
