import { Failure } from '../domain/failure.ts';
import { type Profile, profileOf, profiles } from '../domain/profile.ts';

/** The profile that a lane's specification names. InvalidFleet when this build does not know it. */
export function requireProfile(id: string): Profile {
  const profile = profileOf(id);
  if (profile) return profile;
  const known = profiles.map((one) => one.id).join(', ');
  throw new Failure('InvalidFleet', `profile ${id} is unknown; there are ${known}`, { field: 'profile' });
}
