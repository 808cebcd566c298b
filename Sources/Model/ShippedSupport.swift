extension SupportTable {
    /// The table that the program was built with.
    ///
    /// Support as the Kubernetes project gives it: what a distribution mends for longer is its vendor's to say.
    public static let shipped = (try? SupportTable(text: shippedText)) ?? SupportTable.none

    /// Knows nothing.
    static let none = SupportTable(asOf: CivilDate(daysSinceEpoch: 0), origin: "none", rows: [])

    /// From endoflife.date (MIT), with what the Kubernetes project says of its releases.
    static let shippedText = """
        # as of 2026-08-22
        # from shipped
        minor\treleased\teoas\teol\tlatest
        1.36\t2026-04-22\t2027-04-28\t2027-06-28\t1.36.4
        1.35\t2025-12-17\t2026-12-28\t2027-02-28\t1.35.8
        1.34\t2025-08-27\t2026-08-27\t2026-10-27\t1.34.11
        1.33\t2025-04-23\t2026-04-28\t2026-06-28\t1.33.13
        1.32\t2024-12-11\t2025-12-28\t2026-02-28\t1.32.13
        1.31\t2024-08-13\t2025-08-28\t2025-11-11\t1.31.14
        1.30\t2024-04-17\t2025-04-28\t2025-07-15\t1.30.14
        1.29\t2023-12-13\t2024-12-28\t2025-02-28\t1.29.15
        1.28\t2023-08-15\t2024-08-28\t2024-10-28\t1.28.15
        1.27\t2023-04-11\t2024-04-28\t2024-06-28\t1.27.16
        1.26\t2022-12-08\t2023-12-28\t2024-02-28\t1.26.15
        1.25\t2022-08-23\t2023-08-27\t2023-10-27\t1.25.16
        1.24\t2022-05-03\t2023-05-28\t2023-07-28\t1.24.17
        1.23\t2021-12-07\t2022-12-28\t2023-02-28\t1.23.17
        1.22\t2021-08-04\t2022-08-28\t2022-10-28\t1.22.17
        1.21\t2021-04-08\t2022-04-28\t2022-06-28\t1.21.14
        1.20\t2020-12-08\t2021-12-28\t2022-02-28\t1.20.15
        1.19\t2020-08-26\t2021-08-28\t2021-10-28\t1.19.16
        1.18\t2020-03-25\t2021-04-28\t2021-06-18\t1.18.20
        1.17\t2019-12-07\ttrue\t2020-12-25\t1.17.17
        1.16\t2019-09-18\ttrue\t2020-08-04\t1.16.15

        """
}
