#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logparser_fuzz::oracles::rejects::run(data));
