#!/usr/bin/env node
process.stdout.write('the gateway is being built\n');
