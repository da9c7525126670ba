// Package rds reads Amazon RDS instances and Aurora clusters: how many connections they take, what
// state they are in, who takes over when the writer fails, and what an operator must know before a
// sale begins.
//
// Each poll sends, for I instances and C clusters in all, and G parameter groups of those whose
// connections are asked for:
//
//	ceil(I/40)      DescribeDBInstances, by name
//	2*ceil(C/40)    DescribeDBClusters and DescribeDBInstances, by cluster
//	G               DescribeDBParameters, DescribeDBClusterParameters: max_connections alone
//	<= 2            DescribePendingMaintenanceActions, once in five minutes
//
// Every list is walked to its end, three pages at most. The last kind only explains: when it fails
// the figures stay and it is a warning.
//
// The limit of connections is max_connections of the parameter group that counts: the instance's
// own where somebody set it there, else the cluster's where it is set there, else the default. A
// number is taken as it is. A formula is worked out for the memory of the instance class less what
// RDS keeps of it (see reserve), and a note says so: AWS does not tell how much that is. What can't
// be known is missing, with the reason: an engine without max_connections, a class that this table
// does not hold, a formula of another form, a change that waits for a reboot.
//
// The calls need rds:DescribeDBInstances, rds:DescribeDBClusters, rds:DescribeDBParameters,
// rds:DescribeDBClusterParameters and rds:DescribePendingMaintenanceActions. All are free of charge.
package rds
