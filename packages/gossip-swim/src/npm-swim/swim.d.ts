/** The parts of npm `swim` 0.6.0 that this adapter uses, read from its source; it has no types of its own. */
declare module 'swim' {
  export interface SwimMemberData {
    meta: string;
    host: string;
    /** 0 alive, 1 suspect, 2 faulty */
    state: number;
    incarnation: number;
  }
  export interface SwimMember extends SwimMemberData {
    data(): SwimMemberData;
  }
  export interface SwimMembership {
    local: SwimMember;
    hostToMember: Record<string, SwimMember>;
    hostToFaulty: Record<string, SwimMember>;
    hostToSuspectTimeout: Record<string, unknown>;
    suspectListener: (member: SwimMember) => void;
    onSuspect(member: SwimMember): void;
    onUpdate(data: SwimMemberData): void;
    updateAlive(data: SwimMemberData): void;
    updateFaulty(data: SwimMemberData): void;
    sync(hosts: readonly string[]): void;
    all(hasLocal: boolean, hasFaulty: boolean): SwimMemberData[];
  }
  export interface SwimNet {
    udpSocket: { close(): void };
    listen(callback: () => void): void;
    close(): void;
    emit(event: string, ...args: unknown[]): boolean;
    sendMessages(messages: readonly { type: number; data: unknown }[], host: string): void;
    piggybackAndSend(buffer: Uint8Array, host: string): void;
    sendBuffer(buffer: Uint8Array, host: string): void;
  }
  export interface SwimOptions {
    codec: 'json';
    local: { host: string; meta: string; incarnation: number };
    interval: number;
    pingTimeout: number;
    pingReqTimeout: number;
    pingReqGroupSize: number;
    suspectTimeout: number;
    preferCurrentMeta: boolean;
    udp: { type: 'udp4' | 'udp6'; maxDgramSize: number };
  }
  export default class Swim {
    constructor(options: SwimOptions);
    codec: { encode(data: unknown): Uint8Array; decode(bytes: Uint8Array): unknown };
    failureDetector: { seq: number };
    membership: SwimMembership;
    net: SwimNet;
    bootstrap(hosts: readonly string[], callback: (error?: Error) => void): void;
    updateMeta(meta: string): void;
    leave(): void;
    on(event: 'update', listener: (data: SwimMemberData) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }
}
