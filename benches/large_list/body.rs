//! An answer of Get Invoices with as many documents as one likes.

use std::fmt::Write as _;

/// Documents like those of the provider's example, no two of them the same.
pub fn body(documents: usize) -> Vec<u8> {
    let mut body = String::from(
        r#"{"code":200,"timestamp":1763446641000,"transaction_id":"661cc68b-0e48-4d39-a744-9afd56895340","data":{"status_cd":"1","data":{"b2b":["#,
    );
    for number in 0..documents {
        // Digits without a pattern, the same in each run.
        let noise = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8;
        let (action, filed) = (["N", "A", "R", "P"][number % 4], ["Filed", "Not Filed"][number % 2]);
        let (rupees, paise) = (noise % 900_000 + 100, noise % 90 + 10);
        let comma = if number == 0 { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"action":"{action}","camt":{rupees}.{paise},"cess":0,"hash":"{noise:016x}{number:048x}","iamt":0,"idt":"{:02}-11-2024","inum":"INV/24-25/{number:06}","inv_typ":"R","ispendactblocked":"N","pos":"24","rtnprd":"112024","samt":{rupees}.{paise},"srcfilstatus":"{filed}","srcform":"R1","stin":"24ABCFG{:04}H1YZ","txval":{}.{paise},"val":{}}}"#,
            number % 28 + 1,
            noise % 10_000,
            rupees * 11,
            rupees * 13,
        )
        .expect("memory suffices");
    }
    body.push_str("]}}}");
    body.into_bytes()
}
