import { Test } from '@nestjs/testing';
import { getRepositoryToken } from '@nestjs/typeorm';
import { User } from './user.entity';
import { UsersController } from './users.controller';

describe('UsersController', () => {
  const save = jest.fn();
  let controller: UsersController;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      controllers: [UsersController],
      providers: [{ provide: getRepositoryToken(User), useValue: { save } }],
    }).compile();
    controller = module.get(UsersController);
  });

  it('returns the query of a region, which is not executed yet', () => {
    const query = controller.list('EU');
    expect(query.name).toBe('users.in-region');
    expect(query.parameters).toEqual({ region: 'EU' });
  });

  it('saves a new user', async () => {
    await controller.create({ username: 'ann', region: 'EU' });
    expect(save).toHaveBeenCalledWith({ username: 'ann', region: 'EU' });
  });
});
