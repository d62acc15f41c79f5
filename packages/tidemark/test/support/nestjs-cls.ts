/**
 * nestjs-cls and its transactions. They are CommonJS and require Nest, which is made of ES modules: jest
 * cannot load these by `require` before Node 24.9, so they get the imported ones.
 */
import { jest } from '@jest/globals';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as exceptions from '@nestjs/core/errors/exceptions/unknown-dependencies.exception.js';
import * as injector from '@nestjs/core/injector/injector.js';

jest.mock('@nestjs/common', () => common);
jest.mock('@nestjs/core', () => core);
jest.mock('@nestjs/core/errors/exceptions/unknown-dependencies.exception', () => exceptions);
jest.mock('@nestjs/core/injector/injector', () => injector);

export const { ClsModule } = await import('nestjs-cls');
export const { ClsPluginTransactional, TransactionHost } =
  await import('@nestjs-cls/transactional');
export const { TransactionalAdapterTypeOrm } =
  await import('@nestjs-cls/transactional-adapter-typeorm');
